"""Sanitizes pytest's reports, which quote guests and foreign files."""

from __future__ import annotations

from typing import Any

import pytest
from _pytest._code.code import TerminalRepr

from harness.text import sanitize


def sanitize_report(report: pytest.TestReport) -> None:
    """Sanitize the failure and the captured output of `report`, in place."""
    report.longrepr = sanitize_shown(report.longrepr)
    report.sections = [(name, sanitize(text, None)) for name, text in report.sections]


def sanitize_shown(shown: Any) -> Any:
    """A failure as pytest shows it, each text bounded and without control characters.

    It is text, a location with a reason, or a tree of objects, which is changed in place.
    """
    if isinstance(shown, str):
        return sanitize(shown)
    if isinstance(shown, list | tuple):
        return type(shown)(map(sanitize_shown, shown))
    if isinstance(shown, TerminalRepr):
        for name, value in vars(shown).items():
            setattr(shown, name, sanitize_shown(value))
    return shown
