"""The ledger: where the time went, all of it, each second once."""

from __future__ import annotations

from harness.time_accounting import Phase, TimeLedger
from harness.waiting import JumpingClock


def test_inner_work_counts_for_itself_alone() -> None:
    clock = JumpingClock()
    ledger = TimeLedger(clock)
    clock.now += 1
    with ledger.on(Phase.BOOT):
        clock.now += 10
        with ledger.on(Phase.GUEST):
            clock.now += 3
        clock.now += 2
    assert ledger.take() == {"harness": 1, "boot": 12, "guest": 3}


def test_work_that_fails_is_counted_too() -> None:
    clock = JumpingClock()
    ledger = TimeLedger(clock)
    try:
        with ledger.on(Phase.RESTORE):
            clock.now += 4
            raise ValueError
    except ValueError:
        clock.now += 1
    assert ledger.take() == {"harness": 1, "restore": 4}


def test_what_was_taken_is_not_counted_again() -> None:
    clock = JumpingClock()
    ledger = TimeLedger(clock)
    clock.now += 5
    ledger.take()
    clock.now += 2
    assert ledger.take() == {"harness": 2}


def test_a_wait_for_the_guest_counts_as_the_guest_s_unless_a_more_exact_phase_is_on() -> None:
    clock = JumpingClock()
    ledger = TimeLedger(clock)
    with ledger.on_guest():
        clock.now += 2
    with ledger.on(Phase.BOOT), ledger.on_guest():
        clock.now += 7
    assert ledger.take() == {"harness": 0, "guest": 2, "boot": 7}
