"""A pytest plugin that plants each case's defect before it: every case must then fail.

    .venv/bin/python -m pytest suites -p tests.defects.planting -k 'hardware or network'

shows it; a case that still passes is deleted or repaired.
"""

from __future__ import annotations

import pytest

from harness.hypervisors.base import MachineState
from harness.plugin.fixtures import GUESTS
from tests.defects.catalogue import DEFECTS

READY_SECONDS = 12
SHUTDOWN_SECONDS = 6
"""Budgets of a guest that will not come: waiting for all of the profile's tells nothing more."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the cases that have a defect, each with a guest of its own."""
    items[:] = [item for item in items if _name(item) in DEFECTS]
    for item in items:
        # The mark may come from the function or be the item's own: both are looked at.
        item.own_markers[:] = [mark for mark in item.own_markers if mark.name != "read_only"]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Plant the defect."""
    guests = item.stash[GUESTS]
    for guest in guests:
        if guest.machine.state() is MachineState.OFF:
            continue  # it is to come up, and needs its time
        short = {"ready_seconds": READY_SECONDS, "shutdown_seconds": SHUTDOWN_SECONDS}
        budgets = guest.profile.budgets.model_copy(update=short)
        guest.profile = guest.profile.model_copy(update={"budgets": budgets})
    DEFECTS[_name(item)](guests)


def _name(item: pytest.Item) -> str:
    return str(getattr(item, "originalname", item.name))
