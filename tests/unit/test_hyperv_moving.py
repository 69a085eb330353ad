"""Machines that go to another host, and whose files go elsewhere, on scripted Hyper-V hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.errors import HypervisorError
from harness.hypervisors.base import MachineState, Owned
from harness.hypervisors.definitions import DiskDefinition, NicDefinition
from harness.hypervisors.facets.migration import MIGRATION, STORAGE_MOVE
from harness.hypervisors.hyperv.address import PASSWORD as VARIABLE
from harness.hypervisors.hyperv.connection import HypervHypervisor
from harness.hypervisors.hyperv.errors import HostRefusalError
from harness.hypervisors.hyperv.machine import HypervMachine
from tests.fakes.hyperv_host.host import hyperv_host
from tests.fakes.hyperv_host.model import HostModel
from tests.fakes.hypervisor import FakeHypervisor
from tests.fakes.powershell_remoting.server import PASSWORD
from tests.machines import a_machine, a_network

NAME = "guestcert-run-guest"


@dataclass
class Hosts:
    """A running machine on one host, and another host that has its network too."""

    machine: HypervMachine
    source: HypervHypervisor
    here: HostModel
    destination: HypervHypervisor
    there: HostModel


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosts]:
    monkeypatch.setenv(VARIABLE, PASSWORD)
    disk = tmp_path / "root.img"
    disk.write_bytes(bytes(1024 * 1024))
    folders = [tmp_path / "here", tmp_path / "there"]
    for folder in folders:
        folder.mkdir()
    with hyperv_host(folders[0]) as (here, _, uri), hyperv_host(folders[1]) as (there, _, far):
        there.name = "hyperv2.example"  # as other hosts call it, whose address is 127.0.0.1
        here.peers[there.name] = there
        source, destination = HypervHypervisor(uri), HypervHypervisor(far)
        for hypervisor in (source, destination):
            hypervisor.create_network(a_network())
        nic = NicDefinition("02:00:00:00:00:0a", a_network().name)
        disks = [DiskDefinition(disk, "root", format="raw")]
        machine = source.define(a_machine(nics=[nic], disks=disks))
        machine.start()
        yield Hosts(machine, source, here, destination, there)
        source.close()
        destination.close()


def test_a_running_machine_goes_to_another_host_with_its_disks(hosts: Hosts) -> None:
    moved = hosts.destination.facet(MIGRATION).move_here(hosts.machine)
    assert moved.state() is MachineState.RUNNING
    assert moved.definition == hosts.machine.definition
    assert hosts.here.machines == {}
    (path,) = hosts.there.machines[NAME].disks.values()
    assert path in hosts.there.files
    assert f"\\guestcert\\machines\\{NAME}\\" in path
    assert not [file for file in hosts.here.files if "\\machines\\" in file]
    with pytest.raises(HypervisorError, match="no longer exists"):
        hosts.machine.state()
    moved.remove()
    assert hosts.there.machines == {}
    assert path not in hosts.there.files


REFUSALS: list[tuple[Callable[[HostModel, HostModel], object], str, str]] = [
    (lambda here, _: setattr(here, "migrates", False), "not enabled", "Enable-VMMigration"),
    (lambda _, there: setattr(there, "migrates", False), "does not take", "Enable-VMMigration"),
    (lambda here, _: here.peers.clear(), "0x8007274C", ""),
    (lambda here, _: setattr(here, "delegated", False), "0x8009030E", "delegate"),
    (lambda _, there: there.switches.clear(), "Ethernet switch", "switch of that name"),
    (lambda _, there: setattr(there, "same_processor", False), "processor-specific", "while off"),
    (lambda _, there: setattr(there, "memory_mib", 32), "0x8007000E", "less memory"),
]


@pytest.mark.parametrize(("plant", "words", "remedy"), REFUSALS)
def test_a_machine_stays_where_a_host_refuses(
    hosts: Hosts, plant: Callable[[HostModel, HostModel], object], words: str, remedy: str
) -> None:
    plant(hosts.here, hosts.there)
    files = set(hosts.here.files)
    with pytest.raises(HostRefusalError, match=words) as caught:
        hosts.destination.facet(MIGRATION).move_here(hosts.machine)
    assert remedy in (caught.value.remedy or "")
    assert hosts.machine.state() is MachineState.RUNNING
    assert (set(hosts.here.files), hosts.there.machines) == (files, {})


def test_a_machine_that_is_off_goes_where_the_processor_is_another(hosts: Hosts) -> None:
    hosts.there.same_processor = False
    hosts.machine.power_off()
    assert hosts.destination.facet(MIGRATION).move_here(hosts.machine).state() is MachineState.OFF


def test_a_machine_of_another_hypervisor_is_not_taken(hosts: Hosts) -> None:
    foreign = FakeHypervisor().define(a_machine())
    with pytest.raises(HypervisorError, match="it is not on Hyper-V"):
        hosts.destination.facet(MIGRATION).move_here(foreign)


@pytest.mark.parametrize("by_clean", [False, True])
def test_files_go_to_another_drive_and_are_found_there_when_it_is_removed(
    hosts: Hosts, *, by_clean: bool
) -> None:
    hosts.here.drives["E:"] = 10 * 1024**3
    hosts.machine.facet(STORAGE_MOVE).move("E:\\")
    assert hosts.machine.state() is MachineState.RUNNING
    (path,) = hosts.here.machines[NAME].disks.values()
    assert path.startswith(f"E:\\guestcert\\machines\\{NAME}\\")
    assert path in hosts.here.files
    if by_clean:
        hosts.source.remove(Owned("machine", NAME, None))
    else:
        hosts.machine.remove()
    assert path not in hosts.here.files


def test_files_stay_where_the_other_drive_is_full_or_absent(hosts: Hosts) -> None:
    (before,) = hosts.here.machines[NAME].disks.values()
    with pytest.raises(HostRefusalError, match="does not exist"):
        hosts.machine.facet(STORAGE_MOVE).move("E:\\")
    hosts.here.drives["E:"] = 1
    with pytest.raises(HostRefusalError, match="0x80070070") as caught:
        hosts.machine.facet(STORAGE_MOVE).move("E:\\")
    assert "free some space" in str(caught.value.remedy)
    assert list(hosts.here.machines[NAME].disks.values()) == [before]
    assert before in hosts.here.files
