"""A control that fails makes its case broken: it proves nothing about the guest."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from harness.errors import ChannelError, ControlFailedError, GuestCrashed, GuestTimeout
from harness.oracles.control import control
from harness.plugin.outcomes import classify
from harness.results.outcomes import Outcome

SUITES = Path(__file__).resolve().parents[2] / "suites"


def test_a_control_that_holds_changes_nothing() -> None:
    with control():
        held = True
    assert held


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (AssertionError("nothing arrives"), "the control failed: nothing arrives"),
        (AssertionError(), "the control failed: it did not hold"),
        (GuestTimeout("waited 9 s for a tick"), "the control failed: waited 9 s for a tick"),
    ],
)
def test_a_control_that_fails_is_broken_in_the_case_itself(
    failure: AssertionError, sentence: str
) -> None:
    with pytest.raises(ControlFailedError) as caught, control():
        raise failure
    end = classify(caught.value, "call")
    assert (end.outcome, end.reason) == (Outcome.BROKEN, sentence)


def test_a_control_hands_on_where_the_evidence_is() -> None:
    with pytest.raises(ControlFailedError) as caught, control():
        raise GuestTimeout("no tick", evidence="console.log")
    assert caught.value.evidence == "console.log"


@pytest.mark.parametrize("other", [GuestCrashed("Oops"), ChannelError("silence")])
def test_what_is_not_the_controls_own_passes_through(other: Exception) -> None:
    with pytest.raises(type(other)) as caught, control():
        raise other
    assert caught.value is other


def test_no_case_calls_something_a_control_without_making_it_one() -> None:
    loose = []
    for file in sorted(SUITES.rglob("test_*.py")):
        text = file.read_text(encoding="utf-8")
        loose += [file.name for line in text.splitlines() if "# The control" in line]
        tree = ast.parse(text)
        uses = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        assert ("control" in uses) == ("import control" in text), file
    assert loose == []
