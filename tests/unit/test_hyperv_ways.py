"""Ways of a Windows host that a driver must heed, as the scripted one models them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.errors import HypervisorError
from harness.hypervisors.definitions import Topology
from harness.hypervisors.host_services import CheckpointKind, ServiceName
from harness.hypervisors.hyperv.address import PASSWORD as VARIABLE
from harness.hypervisors.hyperv.connection import HypervHypervisor
from tests.fakes.hyperv_host.host import hyperv_host
from tests.fakes.hyperv_host.model import HostModel
from tests.fakes.powershell_remoting.server import PASSWORD, Server
from tests.machines import a_machine


@dataclass
class Lab:
    """A scripted host, and the driver at it."""

    host: HostModel
    server: Server
    hypervisor: HypervHypervisor


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setenv(VARIABLE, PASSWORD)
    with hyperv_host(tmp_path) as (host, server, uri):
        hypervisor = HypervHypervisor(uri)
        yield Lab(host, server, hypervisor)
        hypervisor.close()


def test_no_script_leaves_its_parameters_to_the_next_one(lab: Lab) -> None:
    # Switch-Service has a parameter $Service of type string, Set-Pair a variable of that name.
    machine = lab.hypervisor.define(a_machine())
    machine.services.switch(ServiceName.FILE_COPY, on=True)
    machine.services.add_pair("key", "value")
    assert lab.server.left == set()


def test_a_host_of_2012_r2_has_standard_checkpoints_alone(lab: Lab) -> None:
    lab.host.build = "6.3.9600"
    machine = lab.hypervisor.define(a_machine())
    machine.services.checkpoint("standard", CheckpointKind.STANDARD)
    with pytest.raises(HypervisorError, match="no production checkpoints"):
        machine.services.checkpoint("production", CheckpointKind.PRODUCTION)
    assert machine.services.checkpoints() == ["standard"]


def test_a_host_of_2012_r2_has_cores_of_one_thread(lab: Lab) -> None:
    lab.host.build = "6.3.9600"
    two = Topology(sockets=1, cores=1, threads=2)
    with pytest.raises(HypervisorError, match="no cores of several threads"):
        lab.hypervisor.define(a_machine(vcpus=2, topology=two))
    assert lab.host.machines == {}
    one = Topology(sockets=1, cores=2, threads=1)
    assert lab.hypervisor.define(a_machine(vcpus=2, topology=one)).name in lab.host.machines
