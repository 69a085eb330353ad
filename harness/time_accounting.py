"""Time accounting of a run: seconds by phase."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from harness.waiting import SYSTEM_CLOCK, Clock


class Phase(StrEnum):
    """The phases of a run's time."""

    IMAGE = "image"  # building or verifying base images
    PROVISIONING = "provisioning"  # a guest's first boot
    BOOT = "boot"
    RESTORE = "restore"
    GUEST = "guest"  # commands in the guest, and waits for what it does
    EVIDENCE = "evidence"
    WORKER_WAIT = "worker_wait"
    HARNESS = "harness"  # everything else


class TimeLedger:
    """Adds up seconds by phase; nested time counts for the inner phase only."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._seconds: defaultdict[Phase, float] = defaultdict(float)
        self._stack: list[Phase] = [Phase.HARNESS]
        self._since = clock.monotonic()

    @contextmanager
    def on(self, phase: Phase) -> Iterator[None]:
        """Count the time of the block as `phase`."""
        self._book()
        self._stack.append(phase)
        try:
            yield
        finally:
            self._book()
            self._stack.pop()

    @contextmanager
    def on_guest(self) -> Iterator[None]:
        """Count the time of the block as the guest's, unless a more exact phase is on."""
        phase = self._stack[-1]
        with self.on(Phase.GUEST if phase is Phase.HARNESS else phase):
            yield

    def take(self) -> dict[str, float]:
        """Seconds by phase since the last `take`; their sum is the elapsed time."""
        self._book()
        taken = {str(phase): round(seconds, 3) for phase, seconds in self._seconds.items()}
        self._seconds.clear()
        return taken

    def _book(self) -> None:
        now = self._clock.monotonic()
        self._seconds[self._stack[-1]] += now - self._since
        self._since = now
