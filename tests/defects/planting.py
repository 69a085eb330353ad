"""A pytest plugin that plants each case's defect before it: every case must then fail.

    .venv/bin/python -m pytest suites -p tests.defects.planting -k 'hardware or network'

shows it, and ends with 3 where a case did not fail, or failed without a sign of its defect: such
a case is deleted or repaired.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

import pytest

from harness.hypervisors.base import MachineState
from harness.plugin.actors import GUESTS
from harness.plugin.collection import case_of
from harness.plugin.worker import RECORD
from harness.results.outcomes import Outcome
from harness.results.store import EXIT_BROKEN
from tests.defects.acts import Defect
from tests.defects.catalogue import DEFECTS

READY_SECONDS = 12
SHUTDOWN_SECONDS = 6
"""Budgets of a guest that will not answer: waiting for the profile's proves nothing more."""

escaped: list[str] = []
"""A sentence for each case that did not catch its defect."""


def escape(outcome: str, reason: str, defect: Defect) -> str:
    """How a case failed to catch its defect; empty where it did catch it.

    A case that broke, or was blocked, did not: the defect only made the harness stumble.
    """
    if outcome == Outcome.NOT_APPLICABLE:
        return ""
    if outcome != Outcome.FAILED:
        return f"ended {outcome}: {reason or 'no reason'}"
    if not re.search(defect.shows, reason):
        return f"failed without a sign of its defect ({defect.shows!r}): {reason}"
    return ""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the cases that have a defect, each with a guest of its own."""
    items[:] = [item for item in items if case_of(item.nodeid) in DEFECTS]
    for item in items:
        # The mark may come from the function or be the item's own: both are looked at.
        item.own_markers[:] = [mark for mark in item.own_markers if mark.name != "read_only"]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Plant the defect."""
    guests = item.stash[GUESTS]
    for guest in guests:
        if guest.machine.state() is MachineState.OFF:
            continue  # it is about to boot, and needs its time
        short = {"ready_seconds": READY_SECONDS, "shutdown_seconds": SHUTDOWN_SECONDS}
        budgets = guest.profile.budgets.model_copy(update=short)
        guest.profile = guest.profile.model_copy(update={"budgets": budgets})
    DEFECTS[case_of(item.nodeid)].act(guests)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Look at a finished case's record."""
    document: dict[str, Any] | None = getattr(report, RECORD, None)
    if document is None:
        return
    case = document["case"]
    if how := escape(document["outcome"], document["reason"], DEFECTS[case]):
        escaped.append(f"{case} {how}")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """End with 3 where a defect escaped; that the planted guests are not certified is expected."""
    yield
    if escaped:
        session.exitstatus = EXIT_BROKEN


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the defects that escaped."""
    for line in escaped:
        terminalreporter.line(f"not caught: {line}", red=True)
