"""From exceptions to outcomes: whose fault an exception is."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from harness.errors import DISK_FULL, Blocked, GuestFailure, NotApplicable
from harness.profiles.model import KnownIssue
from harness.results.outcomes import WORST_FIRST, Outcome

REASON_LIMIT = 1500
"""Maximum length of a reason in characters."""


@dataclass(frozen=True)
class PhaseEnd:
    """How the set-up, the call or the tear-down of a case ended."""

    outcome: Outcome
    reason: str = ""
    issue: str = ""  # the address of the known issue that occurred


def classify(error: BaseException, phase: str) -> PhaseEnd:
    """The end of a phase that raised this exception, by whose fault it is.

    An assertion is a verdict on the guest only in the case itself; in set-up and tear-down, and
    in the harness's own modules, only a GuestFailure is.
    """
    reason = reason_of(error)
    if isinstance(error, NotApplicable):
        return PhaseEnd(Outcome.NOT_APPLICABLE, reason)
    if isinstance(error, Blocked):
        return PhaseEnd(Outcome.BLOCKED, reason)
    if isinstance(error, GuestFailure):
        return PhaseEnd(Outcome.FAILED, reason)
    oracle = isinstance(error, AssertionError | pytest.fail.Exception)
    if oracle and phase == "call" and not _raised_by_harness(error):
        return PhaseEnd(Outcome.FAILED, reason)
    return PhaseEnd(Outcome.BROKEN, reason)


def _raised_by_harness(error: BaseException) -> bool:
    """Whether the innermost frame of its traceback is a module of the harness."""
    traceback = error.__traceback__
    if traceback is None:
        return False
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return str(traceback.tb_frame.f_globals.get("__name__", "")).startswith("harness.")


def reason_of(error: BaseException) -> str:
    """The exception's message, bounded; with its type where it was not written for a user.

    Without the path of its evidence: the outcome lists the run's own copy.
    """
    sentence: str | None = getattr(error, "sentence", None)
    remedy: str | None = getattr(error, "remedy", None)
    message = sentence or str(error).strip()
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        sentence = message = f"no space is left to write {error.filename or 'a file'}"
        remedy = "free some, or name larger disks with GUESTCERT_HOME and --reports"
    if remedy is not None:
        message += f" (try: {remedy})"
    if not isinstance(error, AssertionError | NotApplicable) and sentence is None:
        message = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return message[:REASON_LIMIT] or type(error).__name__


def worst_phase(phases: list[PhaseEnd]) -> PhaseEnd:
    """The phase that decides the case's outcome; a case without phases is broken.

    A failed case stays failed where its tear-down broke too: a guest that returns junk at the end
    must not get another try.
    """
    if not phases:
        return PhaseEnd(Outcome.BROKEN, "the case reported nothing")
    return min(phases, key=lambda phase: WORST_FIRST.index(phase.outcome))


def with_known_issues(end: PhaseEnd, feature: str, issues: tuple[KnownIssue, ...]) -> PhaseEnd:
    """The same end; a known issue where the profile records this failure."""
    if end.outcome is not Outcome.FAILED:
        return end
    for issue in issues:
        if issue.matches(feature, end.reason):
            reason = f"{issue.reason} ({issue.url}): {end.reason}"
            return PhaseEnd(Outcome.KNOWN_ISSUE, reason, issue.url)
    return end
