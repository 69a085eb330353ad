"""From an exception to an outcome: whose fault it is."""

from __future__ import annotations

import errno
from datetime import date

import pytest

from harness.errors import (
    Blocked,
    ChannelError,
    GuestCrashed,
    GuestFailure,
    GuestTimeout,
    HarnessError,
    NotApplicable,
)
from harness.plugin.outcomes import PhaseEnd, classify, reason_of, with_known_issues, worst_phase
from harness.results.outcomes import Outcome
from tests.unit.builders import a_known_issue


@pytest.mark.parametrize(
    ("error", "phase", "outcome"),
    [
        (AssertionError("1 == 2"), "call", Outcome.FAILED),
        (AssertionError("1 == 2"), "setup", Outcome.BROKEN),
        (AssertionError("1 == 2"), "teardown", Outcome.BROKEN),
        (GuestFailure("it hangs"), "setup", Outcome.FAILED),
        (GuestTimeout("too late"), "call", Outcome.FAILED),
        (GuestCrashed("panic"), "teardown", Outcome.FAILED),
        (HarnessError("libvirt is gone"), "call", Outcome.BROKEN),
        (ChannelError("no answer"), "call", Outcome.BROKEN),
        (ZeroDivisionError("division by zero"), "call", Outcome.BROKEN),
        (Blocked("boot.ready", "never came up"), "setup", Outcome.BLOCKED),
        (NotApplicable("no TPM"), "call", Outcome.NOT_APPLICABLE),
        (pytest.fail.Exception("told to"), "call", Outcome.FAILED),
    ],
)
def test_whose_fault_it_is(error: BaseException, phase: str, outcome: Outcome) -> None:
    assert classify(error, phase).outcome is outcome


def test_an_assertion_of_the_harness_itself_tells_nothing_of_the_guest() -> None:
    harness: dict[str, object] = {"__name__": "harness.guests.anything"}
    suite: dict[str, object] = {"__name__": "suites.boot.test_anything"}
    exec("def fail():\n    raise AssertionError('1 == 2')", harness)
    exec("def case():\n    fail()", suite | {"fail": harness["fail"]}, suite)

    ends = []
    for act in (harness["fail"], suite["case"]):
        with pytest.raises(AssertionError) as caught:
            act()  # type: ignore[operator]
        ends.append(classify(caught.value, "call").outcome)
    exec("def case():\n    raise AssertionError('1 == 2')", suite)
    with pytest.raises(AssertionError) as caught:
        suite["case"]()  # type: ignore[operator]

    assert ends == [Outcome.BROKEN, Outcome.BROKEN]
    assert classify(caught.value, "call").outcome is Outcome.FAILED


def test_what_failed_stays_failed_whatever_breaks_after_it() -> None:
    failed, broken = PhaseEnd(Outcome.FAILED, "guest"), PhaseEnd(Outcome.BROKEN, "lab")
    assert worst_phase([failed, broken]) is failed
    assert worst_phase([broken, failed]) is failed
    assert worst_phase([PhaseEnd(Outcome.PASSED), failed]) is failed
    assert worst_phase([PhaseEnd(Outcome.PASSED), broken]) is broken
    assert worst_phase([PhaseEnd(Outcome.KNOWN_ISSUE), broken]) is broken
    assert worst_phase([PhaseEnd(Outcome.NOT_APPLICABLE), broken]) is broken
    assert worst_phase([]).outcome is Outcome.BROKEN


def test_the_reason_has_the_remedy_and_no_place_that_is_gone_later() -> None:
    end = classify(HarnessError("no disk", remedy="free some", evidence="/gone/soon"), "call")
    assert end.reason == "no disk (try: free some)"
    assert classify(GuestFailure("it hangs", evidence="/gone"), "call").reason == "it hangs"


def test_a_foreign_error_is_told_with_its_type() -> None:
    assert classify(KeyError("x"), "call").reason == "KeyError: 'x'"
    assert classify(RuntimeError(), "call").reason == "RuntimeError"


def test_a_full_disk_is_told_with_what_to_try() -> None:
    reason = reason_of(OSError(errno.ENOSPC, "No space left on device", "/d/root.qcow2"))
    assert reason.startswith("no space is left to write /d/root.qcow2 (try: free some")


def test_a_reason_is_bounded() -> None:
    assert len(classify(AssertionError("x" * 100_000), "call").reason) < 2000


def test_a_failure_on_record_is_a_known_issue() -> None:
    issue = a_known_issue("boot.ready", expires=date(2999, 1, 1))
    failed = PhaseEnd(Outcome.FAILED, "a stall of 30 s")
    known = with_known_issues(failed, "boot.ready", (issue,))
    assert known.outcome is Outcome.KNOWN_ISSUE
    assert issue.url in known.reason
    assert with_known_issues(failed, "boot.pause", (issue,)) is failed
    other = PhaseEnd(Outcome.FAILED, "a panic")
    assert with_known_issues(other, "boot.ready", (issue,)) is other
    broken = PhaseEnd(Outcome.BROKEN, "a stall of 30 s")
    assert with_known_issues(broken, "boot.ready", (issue,)) is broken
    expired = a_known_issue("boot.ready", expires=date(2020, 1, 1))
    assert with_known_issues(failed, "boot.ready", (expired,)) is failed
