"""boot.suspend_ram and boot.suspend_disk: a guest sleeps, and wakes with its state."""

from harness.events import EventKind
from harness.guests.guest import Guest
from harness.guests.log_rules import Mark
from harness.hypervisors.base import MachineState
from harness.hypervisors.definitions import DiskDefinition
from harness.hypervisors.facets.agent import AGENT
from harness.hypervisors.facets.power import SLEEP, SleepState
from harness.image_store.qemu_img import create_disk
from harness.integration.agent_policy import require_allowed
from harness.plugin.markers import cost, feature, requires, variants
from harness.profiles.hardware import Firmware
from harness.workloads.counter import start_counting

ASLEEP_SECONDS = 4.0
SWAP_SERIAL = "GC-SWAP"


@feature("boot.suspend_ram")
@requires(SLEEP, AGENT)
@cost(60)
def test_sleeps_in_memory_and_wakes(guest: Guest) -> None:
    """On request the guest sleeps in memory; woken, it continues with its processes."""
    boot_id = guest.os.lifecycle.boot_id()
    count = start_counting(guest)
    require_allowed(guest, "guest-suspend-ram")
    since = guest.machine.events.mark()

    guest.machine.facet(SLEEP).sleep(SleepState.S3)
    guest.machine.events.wait(
        lambda event: event.kind is EventKind.ASLEEP,
        awaited=f"{guest.name} to fall asleep",
        since=since,
        deadline=guest.budget(20),
        watches=[guest.crash_watch],
        evidence=guest.console_log,
    )
    assert guest.machine.state() is MachineState.ASLEEP
    guest.let_pass(ASLEEP_SECONDS)
    assert guest.machine.state() is MachineState.ASLEEP, "it did not stay asleep"
    since = guest.machine.events.mark()
    guest.machine.facet(SLEEP).wake_up()
    # The machine counts as asleep until the hypervisor reports otherwise.
    guest.machine.events.wait(
        lambda event: event.kind is EventKind.AWAKE,
        awaited=f"{guest.name} to wake",
        since=since,
        deadline=guest.budget(20),
        watches=[guest.crash_watch],
        evidence=guest.console_log,
    )
    guest.await_ready(since=None)

    assert guest.os.lifecycle.boot_id() == boot_id, "it woke by a reboot"
    count.await_beyond(count.value())
    log = guest.os.log.lines()
    assert guest.os.log.rules.shows(Mark.SLEPT, log), "the kernel's log shows no sleep"


@feature("boot.suspend_disk")
@requires(SLEEP, AGENT)
@variants(Firmware.BIOS, Firmware.UEFI)  # a kernel in lockdown does not hibernate
@cost(200)
def test_sleeps_on_disk_and_wakes(machine: Guest) -> None:
    """On request the guest hibernates and powers off; started again, it continues."""
    swap = machine.folder / "swap.qcow2"
    size = f"{2 * machine.definition.memory_mib}M"
    create_disk(swap, size)
    root, *others = machine.definition.disks
    disk = DiskDefinition(swap, SWAP_SERIAL, bus=root.bus)
    machine.redefine(disks=[root, disk, *others])
    machine.boot()
    machine.os.hibernation.prepare(SWAP_SERIAL)
    machine.shut_down()
    machine.boot()
    machine.await_settled()
    assert machine.os.hibernation.enable(SWAP_SERIAL)
    boot_id = machine.os.lifecycle.boot_id()
    count = start_counting(machine)
    counted = count.value()
    require_allowed(machine, "guest-suspend-disk")
    since = machine.machine.events.mark()

    machine.machine.facet(SLEEP).sleep(SleepState.S4)
    machine.await_off(since, machine.budget(60))
    machine.hang_up()
    machine.boot()

    assert machine.os.lifecycle.boot_id() == boot_id, "it booted instead of resuming"
    assert count.await_beyond(counted) > counted
