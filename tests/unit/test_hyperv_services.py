"""The host's side of every integration service, on and off, on a scripted Hyper-V host."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ChannelError, NotApplicable
from harness.events import EventKind
from harness.hypervisors.definitions import DynamicMemory
from harness.hypervisors.facets.host_services import (
    DATA_EXCHANGE,
    FILE_COPY,
    HOST_SERVICES,
    DataExchange,
    FileCopy,
    HostServices,
    ServiceName,
)
from harness.hypervisors.facets.memory import MEMORY, Memory
from harness.hypervisors.facets.power import POWER_BUTTON, POWER_SERVICE
from harness.hypervisors.facets.snapshots import (
    PRODUCTION_SNAPSHOTS,
    SNAPSHOTS,
    ProductionSnapshots,
    Snapshots,
)
from harness.hypervisors.hyperv.connection import HypervHypervisor
from harness.hypervisors.hyperv.errors import HostRefusalError
from harness.hypervisors.hyperv.machine import HypervMachine
from harness.waiting import Deadline
from tests.fakes.hyperv_host.model import GuestModel, HostModel, MachineModel
from tests.machines import a_machine

BUILT_IN = set(ServiceName) - {ServiceName.FILE_COPY}
"""What Hyper-V enables by itself; the guest service interface it does not."""


@pytest.fixture
def machine(host: HostModel, hypervisor: HypervHypervisor) -> HypervMachine:
    """A running machine, with a guest behind it that answers every service."""
    machine = hypervisor.define(a_machine(dynamic_memory=DynamicMemory(32, 128)))
    machine.start()
    host.machines[machine.name].guest = GuestModel()
    return machine


@pytest.fixture
def services(machine: HypervMachine) -> HostServices:
    return machine.facet(HOST_SERVICES)


@pytest.fixture
def exchange(machine: HypervMachine) -> DataExchange:
    return machine.facet(DATA_EXCHANGE)


@pytest.fixture
def copier(machine: HypervMachine) -> FileCopy:
    return machine.facet(FILE_COPY)


@pytest.fixture
def snapshots(machine: HypervMachine) -> Snapshots:
    return machine.facet(SNAPSHOTS)


@pytest.fixture
def production(machine: HypervMachine) -> ProductionSnapshots:
    return machine.facet(PRODUCTION_SNAPSHOTS)


@pytest.fixture
def memory(machine: HypervMachine) -> Memory:
    return machine.facet(MEMORY)


@pytest.fixture
def modelled(host: HostModel, machine: HypervMachine) -> MachineModel:
    return host.machines[machine.name]


@pytest.fixture
def guest(modelled: MachineModel) -> GuestModel:
    assert modelled.guest is not None
    return modelled.guest


def stop_detail(machine: HypervMachine, since: int) -> str:
    event = machine.events.wait(
        lambda event: event.kind is EventKind.STOPPED,
        awaited="the machine to stop",
        since=since,
        deadline=Deadline(20),
    )
    return event.detail


def test_every_service_is_told_and_the_guest_service_interface_is_off(
    services: HostServices,
) -> None:
    states = services.states()
    assert set(states) == set(ServiceName)
    assert {name for name, state in states.items() if state.answers} == BUILT_IN


@pytest.mark.parametrize("name", ServiceName)
def test_a_service_is_switched_off_and_on_again(services: HostServices, name: ServiceName) -> None:
    before = services.states()
    for on in (False, True):
        services.switch(name, on=on)
        after = services.states()
        assert after[name].enabled is after[name].answers is on
        assert {k: v for k, v in after.items() if k is not name} == {
            k: v for k, v in before.items() if k is not name
        }


def test_the_heartbeat_tells_a_stopped_service_from_a_machine_that_is_paused_or_off(
    machine: HypervMachine, services: HostServices, guest: GuestModel
) -> None:
    def seen() -> str:
        return services.states()[ServiceName.HEARTBEAT].status

    assert seen() == "Ok"
    guest.answers.remove(ServiceName.HEARTBEAT)
    assert seen() == "LostCommunication"
    machine.pause()
    assert seen() == ""
    machine.power_off()
    assert seen() == ""


def test_shutdown_is_an_event_and_says_who_did_it(machine: HypervMachine) -> None:
    since = machine.events.mark()
    machine.facet(POWER_SERVICE).shutdown()
    assert stop_detail(machine, since) == "shutdown"


def test_a_reboot_through_the_service_is_an_event(machine: HypervMachine) -> None:
    since = machine.events.mark()
    machine.facet(POWER_SERVICE).reboot()
    event = machine.events.wait(
        lambda event: event.kind is EventKind.REBOOT,
        awaited="a reboot",
        since=since,
        deadline=Deadline(20),
    )
    assert event.kind is EventKind.REBOOT


def test_shutdown_fails_at_once_where_the_service_is_off(
    machine: HypervMachine, services: HostServices
) -> None:
    services.switch(ServiceName.SHUTDOWN, on=False)
    with pytest.raises(ChannelError, match="disabled on the host"):
        machine.facet(POWER_SERVICE).shutdown()
    services.switch(ServiceName.SHUTDOWN, on=True)
    machine.facet(POWER_SERVICE).shutdown()


def test_shutdown_fails_where_the_guest_is_silent(
    machine: HypervMachine, guest: GuestModel
) -> None:
    guest.answers.remove(ServiceName.SHUTDOWN)
    with pytest.raises(ChannelError, match="the guest does not answer"):
        machine.facet(POWER_SERVICE).shutdown()


def test_there_is_no_power_button(machine: HypervMachine) -> None:
    with pytest.raises(NotApplicable, match="lacks power-button"):
        machine.facet(POWER_BUTTON)


def test_a_skew_heals_unless_time_synchronisation_is_off(
    host: HostModel, services: HostServices, guest: GuestModel
) -> None:
    for on, left in ((False, 3600.0), (True, 0.0)):
        services.switch(ServiceName.TIME_SYNC, on=on)
        guest.skew_seconds = 3600.0
        host.time_passes()
        assert guest.skew_seconds == left


def test_the_guest_tells_of_itself_while_data_exchange_is_on(
    services: HostServices, guest: GuestModel, exchange: DataExchange
) -> None:
    guest.intrinsic = {"OSName": "Größe <b>&", "NetworkAddressIPv4": "10.217.0.16"}
    assert exchange.guest_pairs() == guest.intrinsic
    services.switch(ServiceName.DATA_EXCHANGE, on=False)
    assert exchange.guest_pairs() == {}


def test_pairs_are_added_changed_and_removed(exchange: DataExchange) -> None:
    exchange.add_pair("größe 1", "")
    exchange.add_pair("plain", "x" * 2048)
    assert exchange.host_pairs() == {"größe 1": "", "plain": "x" * 2048}
    exchange.modify_pair("größe 1", "$(Get-VM); 'quoted' \"too\"")
    assert exchange.host_pairs()["größe 1"] == "$(Get-VM); 'quoted' \"too\""
    exchange.remove_pair("plain")
    assert list(exchange.host_pairs()) == ["größe 1"]


def test_a_pair_that_is_there_is_not_added_and_one_that_is_not_is_not_changed(
    exchange: DataExchange,
) -> None:
    exchange.add_pair("key", "value")
    with pytest.raises(HostRefusalError, match="adding the pair 'key'"):
        exchange.add_pair("key", "value")
    with pytest.raises(HostRefusalError, match="changing the pair 'no'"):
        exchange.modify_pair("no", "")
    with pytest.raises(HostRefusalError, match="removing the pair 'no'"):
        exchange.remove_pair("no")


def test_a_production_checkpoint_needs_the_guests_side_and_a_standard_one_does_not(
    guest: GuestModel, snapshots: Snapshots, production: ProductionSnapshots
) -> None:
    production.take("quiesced")
    guest.answers.remove(ServiceName.BACKUP)
    with pytest.raises(HostRefusalError, match="could not be quiesced"):
        production.take("not")
    snapshots.take("as it is")
    assert snapshots.names() == ["quiesced", "as it is"]


def test_a_production_checkpoint_fails_where_backup_is_off(
    services: HostServices, snapshots: Snapshots, production: ProductionSnapshots
) -> None:
    services.switch(ServiceName.BACKUP, on=False)
    with pytest.raises(HostRefusalError, match="production checkpoint 'one'"):
        production.take("one")
    assert snapshots.names() == []


def test_checkpoints_are_gone_back_to_and_removed(snapshots: Snapshots) -> None:
    snapshots.take("one")
    snapshots.revert("one")
    snapshots.remove("one")
    assert snapshots.names() == []
    with pytest.raises(HostRefusalError, match="unable to find a virtual machine checkpoint"):
        snapshots.revert("one")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mit Größe.bin"
    path.write_bytes(bytes(range(256)) * 2000 + b"\0" * 700_000)
    return path


def test_a_file_arrives_as_it_was(
    services: HostServices, guest: GuestModel, file: Path, copier: FileCopy
) -> None:
    services.switch(ServiceName.FILE_COPY, on=True)
    copier.copy(file, "/tmp/mit Größe.bin")
    assert guest.files["/tmp/mit Größe.bin"] == file.read_bytes()


def test_an_empty_file_arrives_too(
    services: HostServices, guest: GuestModel, tmp_path: Path, copier: FileCopy
) -> None:
    services.switch(ServiceName.FILE_COPY, on=True)
    empty = tmp_path / "empty"
    empty.touch()
    copier.copy(empty, "/tmp/empty")
    assert guest.files["/tmp/empty"] == b""


def test_a_file_that_is_there_is_replaced_only_by_force(
    services: HostServices, guest: GuestModel, file: Path, copier: FileCopy
) -> None:
    services.switch(ServiceName.FILE_COPY, on=True)
    guest.files["/tmp/target"] = b"before"
    with pytest.raises(HostRefusalError, match="0x80070050") as caught:
        copier.copy(file, "/tmp/target")
    assert "force" in str(caught.value.remedy)
    assert guest.files["/tmp/target"] == b"before"
    copier.copy(file, "/tmp/target", force=True)
    assert guest.files["/tmp/target"] == file.read_bytes()


def test_no_file_is_copied_where_the_service_is_off_or_the_guest_is_full(
    services: HostServices, guest: GuestModel, file: Path, copier: FileCopy
) -> None:
    with pytest.raises(HostRefusalError, match="Guest Service Interface is disabled"):
        copier.copy(file, "/tmp/target")
    services.switch(ServiceName.FILE_COPY, on=True)
    guest.disk_full = True
    with pytest.raises(HostRefusalError, match="not enough space"):
        copier.copy(file, "/tmp/target")
    assert guest.files == {}


def test_dynamic_memory_moves_its_limits_while_the_machine_runs(memory: Memory) -> None:
    assert memory.facts().dynamic
    memory.resize(limits=DynamicMemory(16, 256))
    facts = memory.facts()
    assert (facts.minimum, facts.startup, facts.maximum) == (16, 64, 256)
    assert facts.assigned == 64
    with pytest.raises(HostRefusalError, match="InvalidState"):
        memory.resize(startup_mib=128)


def test_static_memory_is_resized_at_run_time(modelled: MachineModel, memory: Memory) -> None:
    modelled.limits = None
    memory.resize(startup_mib=128)
    assert memory.facts().assigned == 128
    with pytest.raises(HostRefusalError):
        memory.resize(limits=DynamicMemory(16, 256))


def test_a_running_machine_grows_only_by_what_the_host_has(
    modelled: MachineModel, host: HostModel, memory: Memory
) -> None:
    modelled.limits = None
    with pytest.raises(HostRefusalError, match="0x8007000E") as caught:
        memory.resize(startup_mib=host.memory_mib + 2)
    assert "less memory" in str(caught.value.remedy)
    assert memory.facts().assigned == 64


def test_hosts_before_2016_resize_no_running_machine(
    modelled: MachineModel, machine: HypervMachine, host: HostModel, memory: Memory
) -> None:
    host.build, modelled.limits = "6.3.9600", None
    with pytest.raises(HostRefusalError, match="InvalidState"):
        memory.resize(startup_mib=128)
    machine.power_off()
    memory.resize(startup_mib=128)
    assert memory.facts().startup == 128
