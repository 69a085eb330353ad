"""boot.reboot, boot.reset and boot.pause."""

from harness.errors import GuestFailure
from harness.guests.guest import Guest
from harness.guests.log_rules import FaultKind, Mark
from harness.guests.os.lifecycle import Ending
from harness.hypervisors.base import MachineState
from harness.hypervisors.facets.power import POWER_BUTTON
from harness.oracles.control import control
from harness.oracles.log import CompleteLog
from harness.oracles.reboot import expect_reboot
from harness.plugin.markers import cost, feature, requires
from harness.plugin.worker import Metrics
from harness.waiting import Deadline
from harness.workloads.ticker import start_ticking

REBOOTS = 10
"""In every tier: without KVM each takes one to three minutes."""

PAUSED_SECONDS = 6.0

SILENT_WITHIN = 10.0
"""Seconds within which the host has passed on the guest's output from before the pause."""


@feature("boot.reboot")
@cost(700)
def test_reboots_again_and_again_at_its_own_request(guest: Guest, metric: Metrics) -> None:
    """The guest reboots itself repeatedly, each time with a new boot id."""
    seen = {guest.os.lifecycle.boot_id()}
    took = []
    for _ in range(REBOOTS):
        took.append(expect_reboot(guest, guest.os.lifecycle.reboot))
        seen.add(guest.os.lifecycle.boot_id())
    metric("slowest reboot", max(took), "s")
    assert len(seen) == REBOOTS + 1, "a boot id came twice"


@feature("boot.reboot")
@requires(POWER_BUTTON)
@cost(45)
def test_reboots_at_the_hosts_request(guest: Guest) -> None:
    """The guest reboots when the host asks, cleanly: its services were stopped first."""
    position = guest.console.position
    before = guest.os.lifecycle.boot_id()

    expect_reboot(guest, guest.machine.facet(POWER_BUTTON).reboot)

    assert guest.os.lifecycle.boot_id() != before
    output = guest.console.since(position)
    assert guest.os.lifecycle.ended_cleanly(output, Ending.REBOOT), (
        "the system did not go down by itself"
    )


@feature("boot.reset")
@cost(50)
def test_returns_from_a_hard_reset(guest: Guest) -> None:
    """After the reset button the guest is ready again, and its journal was replayed clean."""
    guest.os.files.write("before-the-reset", "kept")
    position = guest.console.position

    expect_reboot(guest, guest.machine.reset)

    output = guest.console.since(position)
    assert not guest.os.lifecycle.ended_cleanly(output, Ending.REBOOT), (
        "it shut down: this was not a reset"
    )
    kept = guest.os.files.content("before-the-reset")
    assert kept == "kept", "a file synced before the reset is missing"
    log = CompleteLog.of(guest, back_to=Mark.MOUNTED)
    assert log.found(FaultKind.DAMAGE) == []
    assert guest.os.files.root_is_writable(), "the root file system is mounted read-only"


@feature("boot.pause")
@cost(20)
def test_stands_still_while_paused(guest: Guest) -> None:
    """A paused guest makes no progress; resumed, it continues without a reboot or a lockup."""
    boot_id = guest.os.lifecycle.boot_id()
    ticker = start_ticking(guest)
    with control():  # a ticker that never ran makes no progress either
        ticker.await_ticks(3)
    before = guest.os.lifecycle.uptime()
    on_the_host = Deadline(PAUSED_SECONDS)

    guest.machine.pause()
    assert guest.machine.state() is MachineState.PAUSED
    with guest.ledger.on_guest():
        drained = _silent_from(guest)
        output, _, is_open = guest.console.read_after(drained, PAUSED_SECONDS)
    assert (output, is_open) == (b"", True), "the console was not silent while paused"
    guest.machine.resume()

    ticker.await_ticks(3)
    in_the_guest = guest.os.lifecycle.uptime() - before
    assert guest.os.lifecycle.boot_id() == boot_id
    missed = on_the_host.elapsed - in_the_guest
    assert missed >= PAUSED_SECONDS - 1, f"the guest's clock ran on: it missed only {missed:.1f} s"
    assert guest.os.log.rules.found(FaultKind.LOCKUP, guest.os.log.lines()) == []


def _silent_from(guest: Guest) -> int:
    """The console's position once the output from before the pause has arrived."""
    position, deadline = guest.console.position, Deadline(SILENT_WITHIN)
    while not deadline.passed:
        output, position, _ = guest.console.read_after(position, 1.0)
        if not output:
            return position
    raise GuestFailure("the guest keeps printing while it is paused", evidence=guest.console_log)
