"""boot.nmi and boot.watchdog: they reach a guest that does not respond otherwise."""

import contextlib
from collections.abc import Iterator

from harness.errors import ChannelError, GuestFailure
from harness.events import EventKind
from harness.guests.guest import Guest
from harness.hypervisors.capabilities import WATCHDOG
from harness.hypervisors.facets.power import NMI
from harness.oracles.reboot import expect_reboot
from harness.plugin.markers import cost, feature, only_on, requires
from harness.profiles.model import System
from harness.waiting import NotYet

HEARTBEAT = 10
"""The watchdog's timeout in seconds."""

PETTED = 3 * HEARTBEAT


@feature("boot.nmi")
@requires(NMI)
@only_on(System.LINUX, because="Windows counts no such interrupt: it stops with a bug check")
@cost(15)
def test_an_nmi_reaches_the_guest(guest: Guest) -> None:
    """The guest counts an interrupt that cannot be masked for each one that is injected."""
    boot_id = guest.os.lifecycle.boot_id()
    before = guest.linux.interrupts("NMI")

    guest.machine.facet(NMI).inject()

    def counted() -> None:
        seen = guest.linux.interrupts("NMI")
        if seen <= before:
            raise NotYet(f"{seen} NMIs, as before")

    guest.wait_for(counted, "the guest to count an NMI", seconds=5)
    assert guest.os.lifecycle.boot_id() == boot_id, "the guest did not keep running"


@feature("boot.watchdog")
@requires(WATCHDOG)
@only_on(System.LINUX, because="it drives the watchdog with the driver that Linux has for it")
@cost(140)
def test_the_watchdog_resets_a_guest_that_does_not_pet_it(machine: Guest) -> None:
    """A petted watchdog never fires; one that is no longer petted resets the guest."""
    machine.redefine(watchdog=True)
    machine.boot()
    machine.await_settled()
    since = machine.machine.events.mark()
    device = machine.linux.load_watchdog(heartbeat=HEARTBEAT)
    assert device, f"the guest has no watchdog with a timeout of {HEARTBEAT} s"
    boot_id = machine.os.lifecycle.boot_id()

    # Three times its timeout, petted each second.
    with _failing_where_fired(machine, since):
        machine.linux.pet_watchdog(device, seconds=PETTED)
    assert not _fired(machine, since), "the watchdog fired although it was petted"

    # Closed without the magic character, it keeps counting.
    expect_reboot(machine, lambda: None, before=boot_id)

    assert _fired(machine, since), "the guest came back, but not by its watchdog"


@contextlib.contextmanager
def _failing_where_fired(machine: Guest, since: int) -> Iterator[None]:
    """A missing answer is the guest's failure where its watchdog has reset it."""
    try:
        yield
    except ChannelError as error:
        if not _fired(machine, since):
            raise
        raise GuestFailure("the watchdog fired while it was petted") from error


def _fired(machine: Guest, since: int) -> bool:
    return any(e.kind is EventKind.WATCHDOG for e in machine.machine.events.since(since))
