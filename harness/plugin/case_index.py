"""The case index of a run: each collected case by its node id, for the cases of lost workers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from harness.lab.context import RunContext
from harness.plugin.collection import case_record
from harness.results.model import CaseRecord
from harness.results.store import write_text

CASES = TypeAdapter(dict[str, CaseRecord])


def write_index(context: RunContext, items: Iterable[pytest.Item]) -> None:
    """Write the index of a worker's items; every worker of a run writes the same one."""
    cases = {item.nodeid: case_record(item) for item in items}
    write_text(_file(context), CASES.dump_json(cases).decode())


def find_case(context: RunContext, nodeid: str) -> CaseRecord:
    """The case with this node id. Raises KeyError for one that no worker collected."""
    return CASES.validate_json(_file(context).read_bytes())[nodeid]


def _file(context: RunContext) -> Path:
    return context.workspace / "cases.json"
