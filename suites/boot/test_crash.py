"""boot.crash_detected: a dead kernel is noticed, and distinguished from a hang and a shutdown."""

from harness.events import EventKind
from harness.guests.guest import Guest
from harness.hypervisors.base import MachineState
from harness.hypervisors.facets.agent import AGENT
from harness.oracles.control import control
from harness.oracles.hang import hang
from harness.plugin.markers import cost, feature, only_on, requires
from harness.plugin.worker import Metrics
from harness.profiles.model import System
from harness.waiting import NotYet, wait_until

SEEN_WITHIN = 10
"""Seconds (with KVM) within which the host must know."""


@feature("boot.crash_detected")
@only_on(System.LINUX, because="only Linux reports its panic on a serial console")
@cost(25)
def test_a_panic_is_told_by_the_device_and_the_console(guest: Guest, metric: Metrics) -> None:
    """The panic device and the console report the panic within seconds."""
    with control():
        assert guest.crash_watch.found() is None, "it counted as crashed before"
    guest.linux.require_kernel((3, 9), "has a driver for the panic device")
    guest.crash_expected = True
    since, position = guest.machine.events.mark(), guest.console.position
    deadline = guest.budget(SEEN_WITHIN)

    guest.os.lifecycle.crash(after=1)

    guest.machine.events.wait(
        lambda event: event.kind is EventKind.CRASHED,
        awaited="the panic device to report the panic",
        since=since,
        deadline=deadline,
        evidence=guest.console_log,
    )

    def reported() -> None:
        if b"Kernel panic - not syncing" not in guest.console.since(position):
            raise NotYet("no panic on the console")

    wait_until(reported, awaited="the panic on the console", deadline=deadline)
    metric("panic seen", deadline.elapsed, "s")
    assert guest.crash_watch.found() is not None


@feature("boot.crash_detected")
@requires(AGENT)
@cost(40)
def test_a_hang_is_no_crash(guest: Guest) -> None:
    """A guest that hangs does not answer, but has not crashed and keeps running."""
    with control():
        assert guest.agent.answers(timeout=guest.budget(5).seconds), "no answer before the hang"
    since = guest.machine.events.mark()

    hang(guest)

    guest.wait_for(
        lambda: not guest.agent.answers(timeout=guest.budget(2).seconds),
        "the agent to be silent",
        seconds=SEEN_WITHIN,
    )
    assert guest.crash_watch.found() is None, "a hang was taken for a crash"
    assert guest.machine.state() is MachineState.RUNNING
    kinds = {event.kind for event in guest.machine.events.since(since)}
    assert not kinds & {EventKind.CRASHED, EventKind.STOPPED, EventKind.SHUTDOWN}


@feature("boot.crash_detected")
@cost(25)
def test_a_shutdown_is_no_crash(guest: Guest) -> None:
    """A guest that shuts down causes another event than one that crashes."""
    since = guest.machine.events.mark()

    guest.os.lifecycle.power_off()

    guest.await_off(since, guest.budget(guest.profile.budgets.shutdown_seconds))
    kinds = {event.kind for event in guest.machine.events.since(since)}
    assert EventKind.SHUTDOWN in kinds, "the guest did not ask for its power-off"
    assert EventKind.CRASHED not in kinds
    assert guest.crash_watch.found() is None, "a shutdown was taken for a crash"
