"""The table of outcome traits: complete, and in the order that decides between outcomes."""

from __future__ import annotations

from _pytest._io import TerminalWriter

from harness.plugin.controller import _shown
from harness.results.outcomes import TRAITS, WORST_FIRST, JunitResult, Outcome, ResultClass


def test_every_outcome_has_traits() -> None:
    assert set(TRAITS) == set(Outcome)
    assert len({traits.letter for traits in TRAITS.values()}) == len(Outcome)


def test_what_failed_counts_before_what_proves_nothing_and_that_before_what_works() -> None:
    classes = [outcome.traits.result_class for outcome in WORST_FIRST]
    assert classes[0] is ResultClass.FAILS
    assert classes[-1] is ResultClass.WORKS
    last = max(n for n, one in enumerate(classes) if one is ResultClass.INCONCLUSIVE)
    assert last < classes.index(ResultClass.EXCUSED) < classes.index(ResultClass.UNTESTED)


def test_no_outcome_but_passed_is_green() -> None:
    assert [outcome for outcome in Outcome if "green" in outcome.traits.style] == [Outcome.PASSED]
    assert [outcome for outcome in Outcome if outcome.traits.junit is None] == [Outcome.PASSED]
    for outcome in (Outcome.BROKEN, Outcome.BLOCKED):
        assert outcome.traits.junit is JunitResult.ERROR
        assert outcome.traits.repeated


def test_pytest_knows_the_colours_of_every_outcome() -> None:
    for outcome in Outcome:
        _, letter, (word, markup) = _shown(outcome)
        assert letter
        assert word == outcome.traits.label.upper()
        assert markup.keys() <= TerminalWriter._esctable.keys()
