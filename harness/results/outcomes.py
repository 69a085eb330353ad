"""Outcomes of cases, and the one table of their traits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto


class Outcome(StrEnum):
    """The outcome of one case."""

    PASSED = "passed"
    FAILED = "failed"
    BROKEN = "broken"
    BLOCKED = "blocked"
    NOT_APPLICABLE = "not_applicable"
    KNOWN_ISSUE = "known_issue"
    FLAKY = "flaky"

    @property
    def traits(self) -> OutcomeTraits:
        """The row of this outcome in the table of traits."""
        return TRAITS[self]


class ResultClass(Enum):
    """The class of an outcome or a verdict."""

    WORKS = auto()
    EXCUSED = auto()
    FAILS = auto()
    INCONCLUSIVE = auto()
    UNTESTED = auto()


class JunitResult(StrEnum):
    """How JUnit XML reports a case that did not pass."""

    FAILURE = "failure"
    ERROR = "error"  # also for inconclusive cases: a CI must not show green for them
    SKIPPED = "skipped"


@dataclass(frozen=True)
class OutcomeTraits:
    """All that follows from an outcome, for verdicts, resumed runs and reports."""

    result_class: ResultClass
    label: str
    letter: str  # pytest's progress
    style: str  # rich's markup
    junit: JunitResult | None
    repeated: bool = False  # by a resumed run, since it proves nothing about the guest
    with_evidence: bool = False


TRAITS = {  # in order of precedence, for the phases of a case and for the cases of a feature
    Outcome.FAILED: OutcomeTraits(
        ResultClass.FAILS, "failed", "F", "bold red", JunitResult.FAILURE, with_evidence=True
    ),
    Outcome.BROKEN: OutcomeTraits(
        ResultClass.INCONCLUSIVE,
        "broken",
        "E",
        "bold magenta",
        JunitResult.ERROR,
        repeated=True,
        with_evidence=True,
    ),
    Outcome.BLOCKED: OutcomeTraits(
        ResultClass.INCONCLUSIVE, "blocked", "b", "yellow", JunitResult.ERROR, repeated=True
    ),
    Outcome.FLAKY: OutcomeTraits(
        ResultClass.INCONCLUSIVE, "flaky", "y", "yellow", JunitResult.FAILURE
    ),
    Outcome.KNOWN_ISSUE: OutcomeTraits(
        ResultClass.EXCUSED, "known issue", "k", "yellow", JunitResult.SKIPPED, with_evidence=True
    ),
    Outcome.NOT_APPLICABLE: OutcomeTraits(
        ResultClass.UNTESTED, "not applicable", "n", "cyan", JunitResult.SKIPPED
    ),
    Outcome.PASSED: OutcomeTraits(ResultClass.WORKS, "passed", ".", "green", None),
}

WORST_FIRST = tuple(TRAITS)
"""The outcomes in order of precedence: which of several counts."""
