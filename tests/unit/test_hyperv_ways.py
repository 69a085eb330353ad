"""Ways of a Windows host that a driver must heed, as the scripted one models them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_interface
from pathlib import Path

import pytest

from harness.errors import HypervisorError, NotApplicable
from harness.events import EventKind
from harness.hypervisors.base import MachineState
from harness.hypervisors.capabilities import NETWORK
from harness.hypervisors.definitions import Topology
from harness.hypervisors.facets.host_services import DATA_EXCHANGE, HOST_SERVICES, ServiceName
from harness.hypervisors.facets.snapshots import PRODUCTION_SNAPSHOTS, SAVED_STATES, SNAPSHOTS
from harness.hypervisors.hyperv.address import PASSWORD as VARIABLE
from harness.hypervisors.hyperv.connection import HypervHypervisor
from harness.waiting import Deadline
from tests.fakes.hyperv_host.host import hyperv_host
from tests.fakes.hyperv_host.model import HostModel
from tests.fakes.powershell_remoting.server import PASSWORD, Server
from tests.machines import a_machine, a_network


@dataclass
class Lab:
    """A scripted host, and the driver at it."""

    host: HostModel
    server: Server
    uri: str
    hypervisor: HypervHypervisor


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setenv(VARIABLE, PASSWORD)
    with hyperv_host(tmp_path) as (host, server, uri):
        hypervisor = HypervHypervisor(uri)
        yield Lab(host, server, uri, hypervisor)
        hypervisor.close()


def test_no_script_leaves_its_parameters_to_the_next_one(lab: Lab) -> None:
    # Switch-Service has a parameter $Service of type string, Set-Pair a variable of that name.
    machine = lab.hypervisor.define(a_machine())
    machine.facet(HOST_SERVICES).switch(ServiceName.FILE_COPY, on=True)
    machine.facet(DATA_EXCHANGE).add_pair("key", "value")
    assert lab.server.left == set()


def test_a_host_of_2012_r2_has_standard_checkpoints_alone(lab: Lab) -> None:
    lab.host.build = "6.3.9600"
    older = HypervHypervisor(lab.uri)
    machine = older.define(a_machine())
    machine.facet(SNAPSHOTS).take("standard")
    with pytest.raises(NotApplicable, match="lacks production-checkpoint"):
        machine.facet(PRODUCTION_SNAPSHOTS)
    assert machine.facet(SNAPSHOTS).names() == ["standard"]
    older.close()


def test_a_host_of_2012_r2_has_cores_of_one_thread(lab: Lab) -> None:
    lab.host.build = "6.3.9600"
    two = Topology(sockets=1, cores=1, threads=2)
    with pytest.raises(HypervisorError, match="several threads for each core"):
        lab.hypervisor.define(a_machine(vcpus=2, topology=two))
    assert lab.host.machines == {}
    one = Topology(sockets=1, cores=2, threads=1)
    assert lab.hypervisor.define(a_machine(vcpus=2, topology=one)).name in lab.host.machines


@pytest.mark.parametrize("script", ["Get-Machines", "Stop-Machine", "Watch-Machines"])
def test_a_list_that_a_removal_cuts_is_asked_for_again(lab: Lab, script: str) -> None:
    machine = lab.hypervisor.define(a_machine())
    machine.start()
    since = machine.events.mark()
    lab.host.cut[script] = 2
    machine.power_off()
    assert machine.state() is MachineState.OFF
    machine.events.wait(
        lambda event: event.kind is EventKind.STOPPED,
        awaited="the machine to stop",
        since=since,
        deadline=Deadline(20),
    )
    assert lab.host.cut[script] == 0


def test_a_list_that_never_comes_is_an_error_that_says_why(lab: Lab) -> None:
    machine = lab.hypervisor.define(a_machine())
    lab.host.cut["Get-Machines"] = 1000
    with pytest.raises(HypervisorError, match="object was not found") as caught:
        machine.state()
    assert "Start-Service vmms" in str(caught.value.remedy)
    assert lab.host.cut["Get-Machines"] == 1000 - 3


def test_a_running_machine_is_turned_off_before_it_is_put_back(lab: Lab, tmp_path: Path) -> None:
    machine = lab.hypervisor.define(a_machine())
    machine.start()
    machine.facet(SNAPSHOTS).take("first")
    machine.facet(SNAPSHOTS).revert("first")
    assert machine.state() is MachineState.RUNNING
    with pytest.raises(HypervisorError, match="unable to find"):
        machine.facet(SNAPSHOTS).revert("none")
    assert machine.state() is MachineState.RUNNING
    machine.facet(SAVED_STATES).save(tmp_path / "state")
    machine.start()
    machine.facet(SAVED_STATES).restore(tmp_path / "state")
    assert [event for _, event in lab.host.log] == [18500, 18502, 18500, 18500, 18502]


@pytest.mark.parametrize("state", ["OffCritical", "SavedCritical", "RunningCritical"])
def test_a_machine_that_lost_its_disks_is_removed(lab: Lab, state: str) -> None:
    machine = lab.hypervisor.define(a_machine())
    lab.host.machines[machine.name].state = state
    assert machine.state() is MachineState.CRASHED
    machine.power_off()
    machine.remove()
    assert lab.host.machines == {}


def test_a_network_is_made_anew_where_there_is_one_of_its_name(lab: Lab) -> None:
    definition = a_network()
    lab.hypervisor.create_network(definition)
    lab.host.switches[definition.name].leases["52-54-00-00-00-01"] = "10.217.0.16"
    network = lab.hypervisor.create_network(definition)
    assert network.leases() == {}
    assert sorted(lab.host.switches) == ["Default Switch", definition.name]


def test_a_lease_is_told_by_the_address_of_its_card_as_definitions_write_it(lab: Lab) -> None:
    network = lab.hypervisor.create_network(a_network())
    leased = str(ip_interface(f"{a_network().gateway}/24").network[16])
    lab.host.switches[network.name].leases["02-00-00-00-00-0A"] = leased
    assert network.leases() == {"02:00:00:00:00:0a": leased}


def test_a_host_of_2012_r2_has_no_networks_for_guests_and_quiesces_nothing(lab: Lab) -> None:
    lab.host.build = "6.3.9600"
    older = HypervHypervisor(lab.uri)
    lacking = {NETWORK, PRODUCTION_SNAPSHOTS}
    assert lacking <= lab.hypervisor.capabilities
    assert not lacking & older.capabilities
    older.close()


def test_a_log_that_the_user_may_not_read_is_told_before_a_machine_is_waited_for(lab: Lab) -> None:
    lab.host.reads_log = False
    with pytest.raises(HypervisorError, match=r"watching machines: .*unauthorized") as caught:
        lab.hypervisor.define(a_machine())
    assert "Event Log Readers" in str(caught.value.remedy)
