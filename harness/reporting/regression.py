"""The regression report: what changed between two runs, for people, for CI, and for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from enum import StrEnum

from harness.results.comparison import NOTABLE, Change, Comparison, Figure, Moved
from harness.text import sanitize

REASON_LIMIT = 300

HEADINGS = {
    Change.REGRESSION: "Regressions",
    Change.FAILING: "Fails now, and the base could not tell",
    Change.IN_DOUBT: "In doubt: the head could not tell",
    Change.EXCUSED: "Fails, as is known or claimed",
    Change.REPAIRED: "Repaired",
    Change.NEW: "Newly tested",
    Change.GONE: "No longer tested",
}

PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
"""What Markdown may take for its own; each of these stands for itself after a backslash."""


class Format(StrEnum):
    """What a regression report can be written as."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


def written(comparison: Comparison, form: Format) -> str:
    """The report as text."""
    if form is Format.JSON:
        return json.dumps(asdict(comparison), indent=1) + "\n"
    sections = list(_sections(comparison))
    title = f"{comparison.base} -> {comparison.head}"
    if form is Format.TEXT:
        lines = [title]
        for heading, entries in sections:
            lines += ["", heading, *(f"  {entry}" for entry in entries)]
        return "\n".join(lines) + "\n"
    lines = [f"# {_plain(title)}"]
    for heading, entries in sections:
        lines += ["", f"## {_plain(heading)}", "", *(f"- {_plain(entry)}" for entry in entries)]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    return PUNCTUATION.sub(r"\\\1", text)


def _sections(comparison: Comparison) -> Iterator[tuple[str, list[str]]]:
    """Headings, each with its entries; what is empty is left out, but for the regressions."""
    moved = (*comparison.features, *comparison.cases)
    for change, heading in HEADINGS.items():
        entries = [_entry(one) for one in moved if one.change is change]
        if entries or change is Change.REGRESSION:
            yield heading, entries or ["none"]
    yield from _figures(comparison)
    if comparison.environment:
        changed = [
            f"{name}: {_word(before)} -> {_word(after)}"
            for name, before, after in comparison.environment
        ]
        yield "Environment", changed
    alone = {comparison.base: comparison.only_base, comparison.head: comparison.only_head}
    for run, places in alone.items():
        if places:
            yield f"Only in {run}", [f"{guest} {variant}" for guest, variant in places]
    yield "Unchanged", [f"{comparison.steady} features stand as they did"]


def _figures(comparison: Comparison) -> Iterator[tuple[str, list[str]]]:
    if comparison.incomparable:
        yield "Figures", [f"not compared: another {', '.join(comparison.incomparable)}"]
    elif comparison.figures:
        heading = f"Figures that changed by more than {NOTABLE:.0%}"
        yield heading, [_figure(one) for one in comparison.figures]


def _entry(moved: Moved) -> str:
    where = f"{moved.guest} {moved.variant} {moved.subject}"
    text = f"{where}: {_word(moved.before)} -> {_word(moved.after)}"
    if moved.reason and moved.change is not Change.REPAIRED:
        text += f": {' '.join(sanitize(moved.reason, REASON_LIMIT).split())}"
    return text


def _figure(figure: Figure) -> str:
    where = f"{figure.guest} {figure.variant} {figure.name} ({figure.case.rpartition('::')[2]})"
    change = f", {figure.after / figure.before - 1:+.0%}" if figure.before else ""
    return f"{where}: {figure.before:.4g} {figure.unit} -> {figure.after:.4g} {figure.unit}{change}"


def _word(text: str) -> str:
    return " ".join(sanitize(text, REASON_LIMIT).split()) or "none"
