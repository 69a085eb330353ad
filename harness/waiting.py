"""The only module that waits: deadlines, an injected clock, and watches that race every wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from harness.errors import GuestTimeout

T = TypeVar("T")

Watch = Callable[[], None]
"""Raises when further waiting is pointless (a kernel panic, a machine that is gone)."""


class Clock(Protocol):
    """The source of time; tests inject one that jumps."""

    def monotonic(self) -> float:
        """Seconds since a fixed moment."""
        ...

    def sleep(self, seconds: float) -> None:
        """Sleep for `seconds`."""
        ...

    def wait_on(self, condition: threading.Condition, seconds: float) -> None:
        """Wait until `condition` (held by the caller) is notified, or `seconds` have passed."""
        ...


class SystemClock:
    """The system's clock."""

    def monotonic(self) -> float:
        """See Clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """See Clock."""
        time.sleep(seconds)

    def wait_on(self, condition: threading.Condition, seconds: float) -> None:
        """See Clock."""
        condition.wait(seconds)


@dataclass
class JumpingClock:
    """A clock for tests: waiting takes no time, it only advances the clock."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        """See Clock."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """See Clock."""
        self.slept.append(seconds)
        self.now += seconds

    def wait_on(self, condition: threading.Condition, seconds: float) -> None:
        """See Clock."""
        self.sleep(seconds)


SYSTEM_CLOCK = SystemClock()


class Deadline:
    """A deadline; created once and passed down, so that consecutive waits share it."""

    def __init__(self, seconds: float, clock: Clock = SYSTEM_CLOCK) -> None:
        self.seconds = seconds
        self.clock = clock
        self._started = clock.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the deadline was set."""
        return self.clock.monotonic() - self._started

    @property
    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.seconds - self.elapsed)

    @property
    def passed(self) -> bool:
        """Whether the deadline has passed."""
        return self.elapsed >= self.seconds


class NotYet(Exception):  # noqa: N818 - it is an answer, not an error
    """Raised by a probe whose condition does not hold yet; the message is what it saw."""


def let_pass(seconds: float, watches: Iterable[Watch], clock: Clock = SYSTEM_CLOCK) -> None:
    """Wait for a fixed time in which nothing must happen; the watches run meanwhile."""
    deadline = Deadline(seconds, clock)
    watches = tuple(watches)
    while not deadline.passed:
        for watch in watches:
            watch()
        clock.sleep(min(1.0, max(deadline.remaining, 0.01)))


def wait_until(
    probe: Callable[[], T],
    *,
    awaited: str,
    deadline: Deadline,
    interval: float = 0.25,
    longest: float | None = None,
    watches: Iterable[Watch] = (),
    evidence: Path | str | None = None,
    error: Callable[[str], Exception] | None = None,
) -> T:
    """Call `probe` until it returns instead of raising NotYet; return its result.

    A success after the deadline still fails, as the promise includes the time. Raises
    `error(sentence)`, by default GuestTimeout, or what a watch raises. The `interval` between calls
    grows by half each time, up to `longest` if given.
    """
    watches = tuple(watches)
    while True:
        for watch in watches:
            watch()
        late = deadline.passed
        try:
            answer = probe()
        except NotYet as not_yet:
            seen = str(not_yet) or "nothing"
        else:
            if not late:
                return answer
            seen = "it, but too late"
        if deadline.passed:
            sentence = f"waited {deadline.seconds:.0f} s for {awaited}, last saw {seen}"
            raise error(sentence) if error else GuestTimeout(sentence, evidence=evidence)
        deadline.clock.sleep(min(interval, max(deadline.remaining, 0.01)))
        interval = max(interval, min(interval * 1.5, longest or interval))
