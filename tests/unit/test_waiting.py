"""Waiting: deadlines, watches, growing intervals and the words of a time-out."""

from __future__ import annotations

import pytest

from harness.errors import GuestCrashed, GuestTimeout, HarnessError
from harness.waiting import Deadline, JumpingClock, NotYet, wait_until


def not_before(clock: JumpingClock, moment: float) -> str:
    if clock.now < moment:
        raise NotYet(f"{clock.now:.0f}")
    return "there"


def test_it_returns_what_the_probe_returned() -> None:
    clock = JumpingClock(now=0)
    got = wait_until(
        lambda: not_before(clock, 3), awaited="it", deadline=Deadline(10, clock), interval=1
    )
    assert got == "there"
    assert clock.slept == [1, 1, 1]


def test_a_time_out_tells_what_how_long_and_what_was_seen() -> None:
    clock = JumpingClock(now=0)
    with pytest.raises(GuestTimeout, match=r"waited 5 s for the guest, last saw 5") as caught:
        wait_until(
            lambda: not_before(clock, 99),
            awaited="the guest",
            deadline=Deadline(5, clock),
            interval=1,
            evidence="console.log",
        )
    assert "Evidence: console.log" in str(caught.value)


def test_a_success_after_the_deadline_is_too_late() -> None:
    clock = JumpingClock(now=0)

    def slow() -> str:
        clock.now += 6
        return not_before(clock, 10)

    with pytest.raises(GuestTimeout, match="but too late"):
        wait_until(slow, awaited="it", deadline=Deadline(8, clock), interval=3)


def test_the_caller_chooses_the_error() -> None:
    clock = JumpingClock()
    with pytest.raises(HarnessError, match="waited 1 s"):
        wait_until(
            lambda: not_before(clock, 1e9),
            awaited="it",
            deadline=Deadline(1, clock),
            error=HarnessError,
        )


def test_a_watch_ends_the_wait_at_once() -> None:
    clock = JumpingClock(now=0)

    def watch() -> None:
        if clock.now >= 2:
            raise GuestCrashed("panic")

    with pytest.raises(GuestCrashed):
        wait_until(
            lambda: not_before(clock, 1e9),
            awaited="it",
            deadline=Deadline(1000, clock),
            interval=1,
            watches=[watch],
        )
    assert clock.now == 2


def test_the_interval_grows_up_to_its_longest() -> None:
    clock = JumpingClock(now=0)
    wait_until(
        lambda: not_before(clock, 8),
        awaited="it",
        deadline=Deadline(100, clock),
        interval=1,
        longest=2,
    )
    assert clock.slept[:4] == [1, 1.5, 2, 2]


def test_an_error_of_the_probe_is_not_swallowed() -> None:
    def broken() -> None:
        raise ValueError("of its own")

    with pytest.raises(ValueError, match="of its own"):
        wait_until(broken, awaited="it", deadline=Deadline(1, JumpingClock()))


def test_a_deadline_counts_down_and_never_below_nothing() -> None:
    clock = JumpingClock(now=0)
    deadline = Deadline(5, clock)
    clock.now = 2
    assert (deadline.elapsed, deadline.remaining, deadline.passed) == (2, 3, False)
    clock.now = 9
    assert (deadline.remaining, deadline.passed) == (0, True)
