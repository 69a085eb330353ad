"""Guest clock: time as a guest has it, without what its host kept it from running."""

from __future__ import annotations

import threading
from collections.abc import Callable

from harness.waiting import SYSTEM_CLOCK, Clock

SLOWEST = 0.2
"""Of the host's pace: the clock never goes slower, so that every deadline ends."""


class GuestClock:
    """A clock that stops while the guest's processors are runnable and the host runs others.

    A budget is a promise of the guest's. On a host with more work than processors a guest is slow
    through no fault of its own, and must not be failed for it. `starved` returns the seconds that
    its processors have waited for one of the host's since the machine was started.
    """

    def __init__(self, starved: Callable[[], float], clock: Clock = SYSTEM_CLOCK) -> None:
        self._starved = starved
        self._clock = clock
        self._now = self._seen = clock.monotonic()
        self._waited = starved()

    def monotonic(self) -> float:
        """See Clock."""
        seen, waited = self._clock.monotonic(), self._starved()
        passed = seen - self._seen
        # A machine that was started again counts from zero again.
        stolen = waited - self._waited if waited >= self._waited else waited
        self._now += max(passed - stolen, passed * SLOWEST)
        self._seen, self._waited = seen, waited
        return self._now

    def sleep(self, seconds: float) -> None:
        """See Clock."""
        self._clock.sleep(seconds)

    def wait_on(self, condition: threading.Condition, seconds: float) -> None:
        """See Clock."""
        self._clock.wait_on(condition, seconds)
