"""A guest's budget is its own time: what the host took from it does not count."""

from __future__ import annotations

import pytest

from harness.errors import GuestTimeout
from harness.guests.guest_clock import GuestClock
from harness.waiting import Deadline, JumpingClock, NotYet, wait_until


class Host:
    """A host that takes `share` of all time from a guest whose processors want to run."""

    def __init__(self, share: float) -> None:
        self.clock = JumpingClock()
        self.share = share
        self.since = self.clock.monotonic()

    def starved(self) -> float:
        return (self.clock.monotonic() - self.since) * self.share


def never() -> None:
    raise NotYet("nothing")


@pytest.mark.parametrize(
    ("share", "real"),
    [(0.0, 60), (0.5, 120), (0.75, 240), (1.0, 300), (2.0, 300)],
    ids=["idle", "half", "three-quarters", "all", "several-processors"],
)
def test_a_budget_is_the_time_that_the_host_gave(share: float, real: float) -> None:
    host = Host(share)
    deadline = Deadline(60, GuestClock(host.starved, host.clock))
    with pytest.raises(GuestTimeout, match="waited 60 s"):
        wait_until(never, awaited="a guest", deadline=deadline)
    assert host.clock.monotonic() - 1000 == pytest.approx(real, rel=0.05)


def test_a_machine_that_is_started_again_counts_from_zero() -> None:
    host = Host(0.5)
    clock = GuestClock(host.starved, host.clock)
    deadline = Deadline(60, clock)
    host.clock.sleep(20)
    assert deadline.elapsed == pytest.approx(10)
    host.since = host.clock.monotonic()
    host.clock.sleep(8)
    assert deadline.elapsed == pytest.approx(14)
