"""Ticker: a program that prints on the console for as long as anything runs in the guest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.guests.guest import Guest
from harness.waiting import NotYet
from harness.workloads.program import carry

SECONDS = 10
"""Within which a few ticks must come (with KVM)."""


@dataclass(frozen=True)
class Ticker:
    """A guest that prints `tick` on its console five times a second."""

    guest: Guest

    def await_ticks(self, count: int, *, error: Callable[[str], Exception] | None = None) -> None:
        """Wait for new ticks; raises GuestTimeout, or `error`, where they do not come in time."""
        start = self.guest.console.position

        def ticked() -> None:
            seen = self.guest.console.since(start).count(b"tick")
            if seen < count:
                raise NotYet(f"{seen} ticks")

        awaited = f"{count} ticks of {self.guest.name}"
        self.guest.wait_for(ticked, awaited, seconds=SECONDS, error=error)


def start_ticking(guest: Guest) -> Ticker:
    """Start the ticker."""
    carry(guest, "ticking").start()
    return Ticker(guest)
