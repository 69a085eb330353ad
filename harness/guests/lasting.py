"""What must last while a guest is paused, saved, put to sleep or set back: processes, connections.

A count that goes on from where it was proves that memory was kept; a reboot would begin it anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.errors import GuestFailure
from harness.guests.carrying import carry
from harness.guests.guest import Guest
from harness.waiting import NotYet, wait_until

PROGRAM = Path(__file__).with_name("conversation.py")
IN_GUEST = "/run/guestcert-conversation.py"
COUNTED = "/run/guestcert-count"
PORT = 45679

COUNT = (
    '(n=0; while :; do n=$((n+1)); echo $n >"$1.new"; mv "$1.new" "$1"; sleep 0.2; done) >&- 2>&- &'
)


@dataclass
class Count:
    """A number in the guest that a living process keeps raising."""

    guest: Guest

    def value(self) -> int:
        """How far it has come; raises GuestFailure where the process says that it gave up."""
        said = self.guest.os.sh('cat "$1" 2>/dev/null || echo 0', COUNTED).strip()
        if not said.isdigit():
            raise GuestFailure(f"in {self.guest.name} the count ended with {said[:200]!r}")
        return int(said)

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


def start_counting(guest: Guest) -> Count:
    """Start a process that counts; returns once it does."""
    guest.os.sh(COUNT, COUNTED)
    count = Count(guest)
    count.await_beyond(0)
    return count


def start_talking(guest: Guest, other: Guest, address: str) -> Count:
    """Have `guest` count over one TCP connection to `other`, at `address`, whose echo it awaits."""
    for each in (guest, other):
        carry(each, PROGRAM, IN_GUEST)
    said = "/run/guestcert-answers"
    other.os.sh('python3 "$1" answer "$2" >"$3" 2>&1 </dev/null &', IN_GUEST, str(PORT), said)

    def listening() -> None:
        if "ready" not in other.os.read(said):
            raise NotYet("no listener")

    wait_until(listening, awaited=f"{other.name} to listen", deadline=other.budget(10))
    guest.os.sh(
        'python3 "$1" ask "$2" "$3" "$4" >&- 2>&- </dev/null &',
        *(IN_GUEST, address, str(PORT), COUNTED),
    )
    count = Count(guest)
    count.await_beyond(0)
    return count
