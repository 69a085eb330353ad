"""Counters: numbers that a process in a guest, or an echo over a connection, keeps raising."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import ChannelError, GuestFailure, HarnessError
from harness.guests.guest import Guest
from harness.waiting import NotYet
from harness.workloads.program import RunningProgram, carry

PORT = 45679

SECONDS = 10
"""Within which a counter must have moved, and a server must listen (with KVM)."""


@dataclass(frozen=True)
class Counter:
    """A number that a running program keeps raising."""

    running: RunningProgram

    def value(self) -> int:
        """Its current value, 0 before the first; raises GuestFailure where it has given up."""
        events = self.running.events()
        if not events:
            return 0
        newest = events[-1]
        if newest.text("event") == "count":
            return newest.number("value")
        name = self.running.guest.name
        if newest.text("event") == "lost":
            raise GuestFailure(f"in {name} the connection was lost: {newest.text('value')[:200]!r}")
        raise ChannelError(f"in {name} a counter reports {newest.text('event')[:80]!r}")

    def await_beyond(self, value: int) -> int:
        """Wait until it is greater than `value`, and return it."""
        guest = self.running.guest

        def beyond() -> int:
            seen = self.value()
            if seen <= value:
                raise NotYet(f"a count of {seen}")
            return seen

        awaited = f"a process in {guest.name} to count beyond {value}"
        return guest.wait_for(beyond, awaited, seconds=SECONDS)


def start_counting(guest: Guest) -> Counter:
    """Start a process that counts; returns once it has counted."""
    counter = Counter(carry(guest, "counting").start())
    counter.await_beyond(0)
    return counter


def open_echo_connection(guest: Guest, other: Guest) -> Counter:
    """Make `guest` count over one TCP connection to `other`, which echoes."""
    server = carry(other, "echo_server").start(str(PORT))
    server.await_event("ready", seconds=SECONDS)
    client = carry(guest, "echo_client").start(address_of(other), str(PORT))
    counter = Counter(client)
    counter.await_beyond(0)
    return counter


def address_of(guest: Guest) -> str:
    """The guest's first IPv4 address; raises HarnessError where it has none."""
    for nic in guest.os.network.nics():
        for address in nic.addresses:
            if "." in address:
                return address.partition("/")[0]
    raise HarnessError(f"{guest.name} has no IPv4 address")
