"""Events: an append-only log that supports waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from harness.errors import GuestTimeout
from harness.waiting import SYSTEM_CLOCK, Clock, Deadline, Watch


class EventKind(StrEnum):
    """The kinds of events that a hypervisor reports of a machine."""

    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    SHUTDOWN = "shutdown"  # the guest asked for power-off
    STOPPED = "stopped"  # the process ended
    REBOOT = "reboot"  # the guest restarted from its firmware
    CRASHED = "crashed"  # reported by the panic device
    WATCHDOG = "watchdog"
    ASLEEP = "asleep"  # suspended to memory
    AWAKE = "awake"
    AGENT_CONNECTED = "agent-connected"
    AGENT_DISCONNECTED = "agent-disconnected"


@dataclass(frozen=True)
class Event:
    """One event of one machine; `when` is in seconds of the monotonic clock."""

    kind: EventKind
    detail: str
    when: float


@dataclass
class EventLog:
    """Events of one machine in order; `mark` before an action, and `wait` misses none."""

    clock: Clock = SYSTEM_CLOCK
    _events: list[Event] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def add(self, kind: EventKind, detail: str = "") -> None:
        """Append an event with the current time, and wake the waiters."""
        with self._changed:
            self._events.append(Event(kind, detail, self.clock.monotonic()))
            self._changed.notify_all()

    def mark(self) -> int:
        """The current position, for a later `wait` or `since`."""
        with self._changed:
            return len(self._events)

    def since(self, mark: int) -> list[Event]:
        """Every event after `mark`."""
        with self._changed:
            return self._events[mark:]

    def wait(
        self,
        wanted: Callable[[Event], bool],
        *,
        awaited: str,
        since: int,
        deadline: Deadline,
        watches: Iterable[Watch] = (),
        evidence: Path | str | None = None,
    ) -> Event:
        """Return the first event after `since` that is `wanted`; raises GuestTimeout."""
        watches = tuple(watches)
        while True:
            for watch in watches:
                watch()
            with self._changed:
                for event in self._events[since:]:
                    if wanted(event):
                        return event
                if deadline.passed:
                    seen = ", ".join(e.kind for e in self._events[since:]) or "no event"
                    raise GuestTimeout(
                        f"waited {deadline.seconds:.0f} s for {awaited}, last saw {seen}",
                        evidence=evidence,
                    )
                # Short turns, so that the watches run while nothing happens.
                self._next(deadline)

    def _next(self, deadline: Deadline) -> None:
        """Wait at most half a second for the next event; the lock must be held."""
        deadline.clock.wait_on(self._changed, min(0.5, max(deadline.remaining, 0.01)))
