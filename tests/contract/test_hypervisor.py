"""The contract of Hypervisor and Machine, held by every implementation."""

from __future__ import annotations

import dataclasses
import socket
from pathlib import Path

import pytest

from harness.errors import ChannelError, HarnessError, HypervisorError
from harness.events import EventKind, EventLog
from harness.hypervisors.base import Machine, MachineState
from harness.hypervisors.capabilities import (
    NETWORK,
    NVME,
    QEMU_DEVICES,
    RUN,
    WATCHDOG,
    Capability,
)
from harness.hypervisors.definitions import DiskDefinition, DiskDevice, Topology
from harness.hypervisors.facets.agent import AGENT
from harness.hypervisors.facets.console import CONSOLE
from harness.hypervisors.facets.cpu_models import CPU_MODELS
from harness.hypervisors.facets.display import DISPLAY, KEYBOARD, Key
from harness.hypervisors.facets.nics import NIC_MOVE
from harness.hypervisors.facets.power import NMI, POWER_SERVICE, SLEEP, SleepState
from harness.hypervisors.facets.processors import PROCESSORS
from harness.hypervisors.facets.snapshots import SAVED_STATES, SNAPSHOTS
from harness.hypervisors.leases import LEASE_TERM, Lease, utc_now
from harness.image_store.qemu_img import create_disk
from harness.profiles.hardware import DiskBus
from harness.waiting import Deadline
from tests.contract.conftest import Subject
from tests.machines import a_network


def await_event(log: EventLog, kind: EventKind, since: int) -> str:
    event = log.wait(
        lambda event: event.kind is kind,
        awaited=f"the event {kind}",
        since=since,
        deadline=Deadline(30),
    )
    return event.detail


@pytest.fixture
def machine(subject: Subject) -> Machine:
    return subject.hypervisor.define(subject.definition)


def demand(subject: Subject, capability: Capability) -> None:
    if capability not in subject.hypervisor.capabilities:
        pytest.skip(f"{subject.hypervisor.uri} lacks {capability}")


def skip_test_driver(subject: Subject, because: str) -> None:
    if subject.hypervisor.uri.startswith("test:"):
        pytest.skip(f"libvirt's test driver {because}")


def test_a_defined_machine_is_off_and_owned(subject: Subject, machine: Machine) -> None:
    assert machine.state() is MachineState.OFF
    mine = [owned for owned in subject.hypervisor.owned() if owned.name == machine.name]
    assert [owned.kind for owned in mine] == ["machine"]
    assert mine[0].owner == subject.definition.owner


def lease_on(subject: Subject, name: str) -> Lease:
    (owned,) = [
        owned
        for owned in subject.hypervisor.owned()
        if (owned.kind, owned.name) in (("machine", name), ("network", name))
    ]
    assert owned.lease is not None
    return owned.lease


def renew(subject: Subject, name: str) -> None:
    for owned in subject.hypervisor.owned():
        if owned.name == name:
            subject.hypervisor.renew(owned)


def test_a_machine_s_lease_starts_at_its_definition_and_is_renewed(
    subject: Subject, machine: Machine
) -> None:
    defined = lease_on(subject, machine.name)
    assert utc_now() < defined.expires <= utc_now() + LEASE_TERM
    machine.start()
    renew(subject, machine.name)
    renewed = lease_on(subject, machine.name)
    assert renewed.owner == subject.definition.owner
    assert defined.expires < renewed.expires <= utc_now() + LEASE_TERM
    assert machine.state() is MachineState.RUNNING


def test_renewing_what_is_gone_or_nobody_s_makes_nothing(
    subject: Subject, machine: Machine
) -> None:
    (owned,) = [owned for owned in subject.hypervisor.owned() if owned.name == machine.name]
    machine.remove()
    subject.hypervisor.renew(owned)
    assert machine.name not in [owned.name for owned in subject.hypervisor.owned()]


def test_a_saved_machine_comes_back_with_the_lease_that_was_renewed(
    subject: Subject, machine: Machine, folder: Path
) -> None:
    demand(subject, SAVED_STATES)
    machine.start()
    machine.facet(SAVED_STATES).save(folder / "leased.state")
    renew(subject, machine.name)
    renewed = lease_on(subject, machine.name)
    machine.facet(SAVED_STATES).restore(folder / "leased.state", paused=True)
    assert lease_on(subject, machine.name).expires >= renewed.expires


def test_only_names_of_ours_are_defined(subject: Subject) -> None:
    foreign = dataclasses.replace(subject.definition, name="somebody-elses")
    with pytest.raises(HypervisorError, match="does not own"):
        subject.hypervisor.define(foreign)


def test_starting_and_powering_off_are_events(machine: Machine) -> None:
    since = machine.events.mark()
    machine.start()
    await_event(machine.events, EventKind.STARTED, since)
    assert machine.state() is MachineState.RUNNING

    machine.power_off()

    assert await_event(machine.events, EventKind.STOPPED, since) == "destroyed"
    assert machine.state() is MachineState.OFF


def test_the_time_for_which_a_machine_waited_for_its_host_only_grows(machine: Machine) -> None:
    assert machine.seconds_starved() == 0, "it was never started"
    machine.start()
    first = machine.seconds_starved()
    second = machine.seconds_starved()
    assert 0 <= first <= second
    machine.remove()
    assert machine.seconds_starved() == 0, "it is gone"


def test_powering_off_twice_is_no_error(machine: Machine) -> None:
    machine.start()
    machine.power_off()
    machine.power_off()
    assert machine.state() is MachineState.OFF


def test_a_running_machine_can_not_be_started(machine: Machine) -> None:
    machine.start()
    with pytest.raises(HypervisorError, match=machine.name):
        machine.start()


def test_pause_and_resume(subject: Subject, machine: Machine) -> None:
    machine.start()
    since = machine.events.mark()
    machine.pause()
    await_event(machine.events, EventKind.PAUSED, since)
    assert machine.state() is MachineState.PAUSED
    machine.resume()
    await_event(machine.events, EventKind.RESUMED, since)
    assert machine.state() is MachineState.RUNNING


def test_a_machine_can_be_started_before_its_first_instruction(
    subject: Subject, machine: Machine
) -> None:
    skip_test_driver(subject, "starts no machine paused")
    machine.start(paused=True)
    assert machine.state() is MachineState.PAUSED


def test_defining_again_replaces(subject: Subject, machine: Machine) -> None:
    machine.start()
    again = subject.hypervisor.define(dataclasses.replace(subject.definition, vcpus=2))
    assert again.state() is MachineState.OFF
    assert again.definition.vcpus == 2
    names = [owned.name for owned in subject.hypervisor.owned()]
    assert names.count(machine.name) == 1


def test_a_removed_machine_is_gone(subject: Subject, machine: Machine) -> None:
    machine.start()
    machine.remove()
    assert machine.name not in [owned.name for owned in subject.hypervisor.owned()]


def test_removing_what_is_gone_is_no_error(subject: Subject, machine: Machine) -> None:
    owned = next(o for o in subject.hypervisor.owned() if o.name == machine.name)
    subject.hypervisor.remove(owned)
    subject.hypervisor.remove(owned)
    assert machine.name not in [o.name for o in subject.hypervisor.owned()]


def test_no_agent_is_a_channel_error(subject: Subject, machine: Machine) -> None:
    demand(subject, AGENT)
    machine.start()
    with pytest.raises(ChannelError):
        machine.facet(AGENT).command('{"execute":"guest-ping"}', timeout=2)


@pytest.mark.parametrize("ask", ["shutdown", "reboot"])
def test_a_request_through_no_agent_is_a_channel_error(
    subject: Subject, machine: Machine, ask: str
) -> None:
    demand(subject, AGENT)
    machine.start()
    with pytest.raises(ChannelError):
        getattr(machine.facet(POWER_SERVICE), ask)()


def test_save_and_restore(subject: Subject, machine: Machine, folder: Path) -> None:
    demand(subject, SAVED_STATES)
    state = folder / "contract.state"
    machine.start()
    since = machine.events.mark()
    machine.facet(SAVED_STATES).save(state)
    assert await_event(machine.events, EventKind.STOPPED, since) == "saved"
    assert machine.state() is MachineState.OFF

    machine.facet(SAVED_STATES).restore(state, paused=True)

    assert machine.state() is MachineState.PAUSED
    machine.resume()
    assert machine.state() is MachineState.RUNNING


def test_restoring_from_nothing_is_an_error(
    subject: Subject, machine: Machine, folder: Path
) -> None:
    demand(subject, SAVED_STATES)
    with pytest.raises(HarnessError, match="restoring"):
        machine.facet(SAVED_STATES).restore(folder / "no-such.state")


def test_an_unknown_nic_can_not_be_moved(subject: Subject, machine: Machine) -> None:
    demand(subject, NIC_MOVE)
    machine.start()
    with pytest.raises(HypervisorError, match="no network card"):
        machine.facet(NIC_MOVE).move("52:54:00:00:00:01", "guestcert-contract-a")


def test_the_console_carries_both_directions(subject: Subject, machine: Machine) -> None:
    demand(subject, RUN)
    machine.start(paused=True)
    with machine.facet(CONSOLE).open() as console:
        console.settimeout(30)
        machine.resume()
        output = read_until(console, b"tick")
        console.sendall(b"#")
        assert b"tick" in output
        assert b"#" in read_until(console, b"#")
    assert machine.state() is MachineState.RUNNING


def test_a_machine_has_a_screen(subject: Subject, machine: Machine) -> None:
    demand(subject, RUN)
    demand(subject, DISPLAY)
    machine.start()
    assert machine.facet(DISPLAY).screenshot().startswith(b"\x89PNG")


def test_what_the_processors_do_is_shown_of_a_running_machine_alone(
    subject: Subject, machine: Machine
) -> None:
    demand(subject, RUN)
    demand(subject, PROCESSORS)
    processors = machine.facet(PROCESSORS)
    with pytest.raises(HypervisorError, match=machine.name):
        processors.state()
    machine.start()
    seen = processors.state()
    assert seen.count("IP=") >= 2, seen
    assert "MM0" not in seen and "FPR" not in seen, "vector registers hold pieces of its memory"
    assert machine.state() is MachineState.RUNNING


def test_a_key_reaches_only_a_running_machine(subject: Subject, machine: Machine) -> None:
    demand(subject, KEYBOARD)
    with pytest.raises(HypervisorError, match=machine.name):
        machine.facet(KEYBOARD).press(Key.ENTER)
    machine.start()
    machine.facet(KEYBOARD).press(Key.ENTER)
    assert machine.state() is MachineState.RUNNING


def test_an_nmi_reaches_only_a_running_machine(subject: Subject, machine: Machine) -> None:
    demand(subject, NMI)
    with pytest.raises(HypervisorError, match=machine.name):
        machine.facet(NMI).inject()
    machine.start()
    machine.facet(NMI).inject()
    assert machine.state() is MachineState.RUNNING


def test_a_snapshot_can_be_gone_back_to(subject: Subject, folder: Path) -> None:
    demand(subject, SNAPSHOTS)
    path = folder / "snapshot.qcow2"
    create_disk(path, "8M")
    disks = (*subject.definition.disks, DiskDefinition(path, "SNAPSHOT"))
    # A raw disk holds no snapshots, and one that is only read needs none.
    disks = (dataclasses.replace(disks[0], read_only=True), disks[1])
    machine = subject.hypervisor.define(dataclasses.replace(subject.definition, disks=disks))
    machine.start()
    machine.facet(SNAPSHOTS).take("first")
    assert machine.state() is MachineState.RUNNING
    machine.power_off()
    renew(subject, machine.name)
    before = lease_on(subject, machine.name)

    machine.facet(SNAPSHOTS).revert("first", paused=True)

    assert lease_on(subject, machine.name).expires >= before.expires

    assert machine.state() is MachineState.PAUSED
    machine.resume()
    assert machine.state() is MachineState.RUNNING
    with pytest.raises(HypervisorError, match="none"):
        machine.facet(SNAPSHOTS).revert("none")


@pytest.mark.parametrize("state", SleepState)
def test_sleep_is_asked_of_the_agent(subject: Subject, machine: Machine, state: SleepState) -> None:
    demand(subject, SLEEP)
    machine.start()
    with pytest.raises(ChannelError):
        machine.facet(SLEEP).sleep(state)
    assert machine.state() is MachineState.RUNNING


def test_only_a_sleeper_is_woken(subject: Subject, machine: Machine) -> None:
    demand(subject, SLEEP)
    machine.start()
    with pytest.raises(HypervisorError, match=machine.name):
        machine.facet(SLEEP).wake_up()


def test_a_processor_s_flags_are_known(subject: Subject) -> None:
    demand(subject, CPU_MODELS)
    flags = subject.hypervisor.facet(CPU_MODELS).flags(
        "kvm64", "q35", subject.definition.accelerator
    )
    assert {"lm", "sse2"} <= flags
    with pytest.raises(HypervisorError, match="no-such"):
        subject.hypervisor.facet(CPU_MODELS).flags("no-such", "q35", subject.definition.accelerator)


def test_a_machine_has_the_devices_that_were_asked_for(subject: Subject) -> None:
    demand(subject, WATCHDOG)
    arranged = dataclasses.replace(
        subject.definition,
        vcpus=4,
        topology=Topology(1, 2, 2, nodes=2),
        watchdog=True,
        cpu_model="kvm64",
        generation_id=True,
    )
    machine = subject.hypervisor.define(arranged)
    machine.start()
    assert machine.state() is MachineState.RUNNING


def test_media_are_taken_with_the_disk(subject: Subject, boot_sector: Path, folder: Path) -> None:
    """The boot sector runs from a floppy, with a blank disk and a CD beside it."""
    demand(subject, RUN)
    demand(subject, CONSOLE)
    files = [folder / name for name in ("blank.img", "cd.iso", "floppy.img")]
    for file, content in zip(files, (b"", b"", boot_sector.read_bytes()), strict=True):
        file.write_bytes(content.ljust(1440 * 1024, b"\0"))
    blank, cd, floppy = (DiskDefinition(file, file.stem, format="raw") for file in files)
    disks = (
        dataclasses.replace(blank, bus="ide", boot_order=1),
        dataclasses.replace(cd, bus="ide", device=DiskDevice.CDROM, read_only=True, boot_order=2),
        dataclasses.replace(
            floppy, bus="fdc", device=DiskDevice.FLOPPY, read_only=True, boot_order=3
        ),
    )
    definition = dataclasses.replace(subject.definition, machine_type="pc", disks=disks)
    assert b"tick" in first_words(subject.hypervisor.define(definition))


@pytest.mark.parametrize("bus", DiskBus)
def test_a_disk_on_each_bus_is_booted_from(subject: Subject, bus: DiskBus) -> None:
    for capability in (RUN, CONSOLE, QEMU_DEVICES):
        demand(subject, capability)
    if bus is DiskBus.NVME:
        demand(subject, NVME)
    (root,) = subject.definition.disks
    chipset = "pc" if bus is DiskBus.IDE else "q35"
    definition = dataclasses.replace(
        subject.definition,
        machine_type=chipset,
        disks=(dataclasses.replace(root, bus=str(bus)),),
    )
    assert b"tick" in first_words(subject.hypervisor.define(definition))


def test_a_reset_is_an_event(subject: Subject, machine: Machine) -> None:
    skip_test_driver(subject, "reports no reset")
    machine.start()
    since = machine.events.mark()
    machine.reset()
    assert await_event(machine.events, EventKind.REBOOT, since) == ""


def test_a_network_is_made_owned_and_removed(subject: Subject) -> None:
    demand(subject, NETWORK)
    definition = a_network(
        name="guestcert-contract-net",
        bridge="gcbcontract",
        gateway="10.216.250.1",
        dhcp_start="10.216.250.16",
        dhcp_end="10.216.250.32",
        owner=subject.definition.owner,
    )
    network = subject.hypervisor.create_network(definition)
    assert network.leases() == {}
    assert any(net.startswith("10.216.250.") for net in subject.hypervisor.taken_subnets())
    (owned,) = [each for each in subject.hypervisor.owned() if each.name == definition.name]
    assert owned.kind == "network"
    assert owned.owner == subject.definition.owner
    made = lease_on(subject, definition.name)
    subject.hypervisor.renew(owned)
    renewed = lease_on(subject, definition.name)
    unrenewable = made.expires > utc_now() + LEASE_TERM
    assert renewed.owner == made.owner
    assert renewed == made if unrenewable else renewed.expires > made.expires

    network.remove()
    network.remove()

    assert definition.name not in [owned.name for owned in subject.hypervisor.owned()]


def test_facts_name_hypervisor_and_version(subject: Subject) -> None:
    facts = subject.hypervisor.facts()
    assert facts.name
    assert facts.version


def first_words(machine: Machine) -> bytes:
    """The boot sector's output when the machine starts."""
    machine.start(paused=True)
    with machine.facet(CONSOLE).open() as console:
        console.settimeout(60)
        machine.resume()
        return read_until(console, b"tick")


def read_until(console: socket.socket, wanted: bytes) -> bytes:
    output = b""
    while wanted not in output:
        data = console.recv(4096)
        assert data, f"the console ended after {output[-80:]!r}"
        output += data
    return output
