"""The regression report: what changed between two runs, for people, for CI, and for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path

from harness.results.comparison import NOTABLE, Change, ChangeKind, Comparison, Figure
from harness.text import sanitize_line

SCHEMA = "guestcert/comparison/1"

REASON_LIMIT = 300

HEADINGS = {
    ChangeKind.REGRESSION: "Regressions",
    ChangeKind.FAILING: "Fails now, and the base could not tell",
    ChangeKind.IN_DOUBT: "In doubt: the head could not tell",
    ChangeKind.LOST: "Required, and no longer tested",
    ChangeKind.EXCUSED: "Fails, as is known or claimed",
    ChangeKind.REPAIRED: "Repaired",
    ChangeKind.NEW: "Newly tested",
    ChangeKind.GONE: "No longer tested",
}

LOOKED_INTO = (ChangeKind.REGRESSION, ChangeKind.FAILING, ChangeKind.IN_DOUBT)
"""Changes of a case that are shown with their evidence and the command that reruns it."""

Quote = Callable[[str], str]
"""Writes foreign text so that the format takes nothing in it for its own."""


class Format(StrEnum):
    """What a regression report can be written as."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


def written(comparison: Comparison, form: Format, head: Path) -> str:
    """The report as text; `head` is the later run's directory, where its evidence is."""
    if form is Format.JSON:
        return json.dumps({"schema": SCHEMA} | asdict(comparison), indent=1) + "\n"
    if form is Format.MARKDOWN:
        return "\n".join(_markdown(comparison, head)) + "\n"
    return "\n".join(_text(comparison, head)) + "\n"


def _text(comparison: Comparison, head: Path) -> Iterator[str]:
    yield f"{_plain(comparison.base)} -> {_plain(comparison.head)}"
    yield from _headlines(comparison, _plain)
    for heading, entries in _sections(comparison, head, _plain):
        yield from ("", heading)
        for first, *details in entries:
            yield f"  {first}"
            yield from (f"      {detail}" for detail in details)


def _markdown(comparison: Comparison, head: Path) -> Iterator[str]:
    yield f"# {_code(comparison.base)} -> {_code(comparison.head)}"
    for line in _headlines(comparison, _code):
        yield from ("", f"**{line}**")
    for heading, entries in _sections(comparison, head, _code):
        yield from ("", f"## {heading}", "")
        for first, *details in entries:
            yield f"- {first}"
            yield from (f"  - {detail}" for detail in details)


def _plain(text: str) -> str:
    return sanitize_line(text, REASON_LIMIT)


def _code(text: str) -> str:
    """A code span, in which Markdown knows no links, HTML or mentions."""
    line = _plain(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    blank = " " if "`" in line else ""
    return f"{fence}{blank}{line}{blank}{fence}" if line else ""


def _headlines(comparison: Comparison, quote: Quote) -> Iterator[str]:
    """Each guest's certificate, before and after."""
    for guest, before, after in comparison.certificates:
        words = [status.replace("-", " ") for status in (before, after)]
        change = f"{words[0]}, as before" if before == after else " -> ".join(words)
        yield f"{quote(guest)}: {change}"


def _sections(
    comparison: Comparison, head: Path, quote: Quote
) -> Iterator[tuple[str, list[list[str]]]]:
    """Headings, each with its entries; what is empty is left out, but for the regressions.

    An entry is a line, and further lines of details.
    """
    moved = (*comparison.features, *comparison.cases)
    told = {(case.guest, case.variant, case.feature, case.change) for case in comparison.cases}
    for change, heading in HEADINGS.items():
        entries = [_entry(one, head, quote, told) for one in moved if one.change is change]
        if entries or change is ChangeKind.REGRESSION:
            yield heading, entries or [["none"]]
    yield from _figures(comparison, quote)
    if comparison.environment:
        changed = [
            [f"{quote(name)}: {quote(before) or 'none'} -> {quote(after) or 'none'}"]
            for name, before, after in comparison.environment
        ]
        yield "Environment", changed
    for side, run, places in (
        ("base", comparison.base, comparison.only_base),
        ("head", comparison.head, comparison.only_head),
    ):
        if places:
            alone = [[f"{quote(guest)} {quote(variant)}"] for guest, variant in places]
            yield f"Only in the {side}, {quote(run)}", alone
    yield "Unchanged", [[f"{comparison.unchanged} features stand as they did"]]


def _figures(comparison: Comparison, quote: Quote) -> Iterator[tuple[str, list[list[str]]]]:
    if comparison.incomparable:
        yield "Figures", [[f"not compared: another {', '.join(comparison.incomparable)}"]]
    elif comparison.figures:
        heading = f"Figures that changed by more than {NOTABLE:.0%}"
        yield heading, [[_figure(one, quote)] for one in comparison.figures]


def _entry(
    moved: Change, head: Path, quote: Quote, told: set[tuple[str, str, str, ChangeKind]]
) -> list[str]:
    """`told`: the features of which a case reports the change with its reason."""
    is_case = moved.subject != moved.feature
    text = f"{quote(moved.guest)} {quote(moved.variant)} {quote(moved.subject)}"
    if moved.title:
        text += f" ({quote(moved.title)})"
    text += f": {quote(moved.before) or 'none'} -> {quote(moved.after) or 'none'}"
    key = (moved.guest, moved.variant, moved.feature, moved.change)
    reason = quote(moved.reason)
    if reason and moved.change is not ChangeKind.REPAIRED and (is_case or key not in told):
        text += f": {reason}"
    return [text, *(_details(moved, head, quote) if moved.change in LOOKED_INTO else ())]


def _details(moved: Change, head: Path, quote: Quote) -> Iterator[str]:
    if moved.evidence:
        yield f"evidence: {quote(str((head / moved.evidence[0]).parent))}"
    if moved.rerun:
        yield f"rerun: {quote(moved.rerun)}"


def _figure(figure: Figure, quote: Quote) -> str:
    case = figure.case.rpartition("::")[2]
    where = f"{quote(figure.guest)} {quote(figure.variant)} {quote(figure.name)} ({quote(case)})"
    unit = quote(figure.unit)
    change = f", {figure.after / figure.before - 1:+.0%}" if figure.before else ""
    return f"{where}: {figure.before:.4g} {unit} -> {figure.after:.4g} {unit}{change}"
