"""Where the time of a run goes: seconds by kind of work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from harness.waiting import SYSTEM_CLOCK, Clock


class Phase(StrEnum):
    """The kinds of work that are told apart."""

    IMAGE = "image"  # building or verifying base images
    PROVISIONING = "provisioning"  # a guest's first boot
    BOOT = "boot"
    RESTORE = "restore"
    GUEST = "guest"  # commands in the guest
    EVIDENCE = "evidence"
    WORKER_WAIT = "worker_wait"
    HARNESS = "harness"  # everything else


class TimeLedger:
    """Adds up seconds by kind of work; work within work counts for the inner kind alone."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._seconds: defaultdict[Phase, float] = defaultdict(float)
        self._stack: list[Phase] = [Phase.HARNESS]
        self._since = clock.monotonic()

    @contextmanager
    def on(self, work: Phase) -> Iterator[None]:
        """Everything within is counted as `work`."""
        self._book()
        self._stack.append(work)
        try:
            yield
        finally:
            self._book()
            self._stack.pop()

    def take(self) -> dict[str, float]:
        """Seconds by kind since the last `take`; their sum is the time that passed."""
        self._book()
        taken = {str(work): round(seconds, 3) for work, seconds in self._seconds.items()}
        self._seconds.clear()
        return taken

    def _book(self) -> None:
        now = self._clock.monotonic()
        self._seconds[self._stack[-1]] += now - self._since
        self._since = now
