"""Things that happened: an append-only log of events that waits can be built on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from harness.errors import GuestTimeout
from harness.waiting import SYSTEM_CLOCK, Clock, Deadline, Watch


class EventKind(StrEnum):
    """What a hypervisor can report of a machine."""

    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    SHUTDOWN = "shutdown"  # the guest asked for power-off
    STOPPED = "stopped"  # no process any more
    REBOOT = "reboot"  # the guest went through its firmware again
    CRASHED = "crashed"  # the panic device spoke
    WATCHDOG = "watchdog"
    ASLEEP = "asleep"  # suspended to memory
    AWAKE = "awake"
    AGENT_CONNECTED = "agent-connected"
    AGENT_DISCONNECTED = "agent-disconnected"


@dataclass(frozen=True)
class Event:
    """One thing that happened to one machine; `when` is the clock's monotonic second."""

    kind: EventKind
    detail: str
    when: float


@dataclass
class EventLog:
    """Events of one machine in order; `mark` and `wait` never miss one between act and wait."""

    clock: Clock = SYSTEM_CLOCK
    _events: list[Event] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def add(self, kind: EventKind, detail: str = "") -> None:
        """Append an event that happened now, and wake the waiters."""
        with self._changed:
            self._events.append(Event(kind, detail, self.clock.monotonic()))
            self._changed.notify_all()

    def mark(self) -> int:
        """The place in the log from which a later `wait` or `since` looks on."""
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
        """Return the first event after `since` that is `wanted`; raise GuestTimeout without one."""
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
                # Short turns, so that the watches are heard while nothing happens.
                self._next(deadline)

    def _next(self, deadline: Deadline) -> None:
        """Wait for the next event for at most half a second; the lock must be held."""
        deadline.clock.wait_on(self._changed, min(0.5, max(deadline.remaining, 0.01)))
