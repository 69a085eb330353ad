"""No case without a planted defect, and no defect without its case."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.defects.catalogue import DEFECTS

SUITES = Path(__file__).resolve().parents[2] / "suites"


def cases() -> set[str]:
    return {
        node.name
        for file in SUITES.rglob("test_*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_case_has_a_defect_that_it_must_catch() -> None:
    assert cases() == set(DEFECTS)
