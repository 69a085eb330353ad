"""Continuity: processes and connections that survive pause, save, sleep and revert.

A counter that continues from its last value proves that memory was kept; a reboot restarts it.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import GuestFailure, HarnessError
from harness.guests.answers import whole_number
from harness.guests.guest import Guest
from harness.waiting import NotYet, wait_until

PORT = 45679


@dataclass
class Counter:
    """A number in the guest that a running process keeps raising."""

    guest: Guest

    def value(self) -> int:
        """Its current value; raises GuestFailure where the process has given up."""
        output = self.guest.os.count()
        if not output.isdecimal():
            raise GuestFailure(f"in {self.guest.name} the count ended with {output[:200]!r}")
        return whole_number(output, "count")

    def await_beyond(self, value: int) -> int:
        """Wait until it is greater than `value`, and return it."""

        def beyond() -> int:
            seen = self.value()
            if seen <= value:
                raise NotYet(f"a count of {seen}")
            return seen

        return wait_until(
            beyond,
            awaited=f"a process in {self.guest.name} to count beyond {value}",
            deadline=self.guest.budget(10),
            watches=[self.guest.crash_watch],
            evidence=self.guest.console_log,
        )


def start_counting(guest: Guest) -> Counter:
    """Start a process that counts; returns once it has counted."""
    guest.os.start_counting()
    count = Counter(guest)
    count.await_beyond(0)
    return count


def address_of(guest: Guest) -> str:
    """The guest's first IPv4 address; raises HarnessError where it has none."""
    for nic in guest.os.nics():
        for address in nic.addresses:
            if "." in address:
                return address.partition("/")[0]
    raise HarnessError(f"{guest.name} has no IPv4 address")


def open_echo_connection(guest: Guest, other: Guest, address: str) -> Counter:
    """Make `guest` count over one TCP connection to `other`, at `address`, which echoes."""
    other.os.start_echo_server(PORT)

    def listening() -> None:
        if not other.os.echo_server_listens():
            raise NotYet("no listener")

    wait_until(listening, awaited=f"{other.name} to listen", deadline=other.budget(10))
    guest.os.start_echo_client(address, PORT)
    count = Counter(guest)
    count.await_beyond(0)
    return count
