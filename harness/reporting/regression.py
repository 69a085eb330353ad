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
    ChangeKind.FAILING: "Fails now, inconclusive in the base",
    ChangeKind.IN_DOUBT: "In doubt: inconclusive in the head",
    ChangeKind.LOST: "Required, and no longer tested",
    ChangeKind.EXCUSED: "Fails, as is known or claimed",
    ChangeKind.REPAIRED: "Repaired",
    ChangeKind.NEW: "Newly tested",
    ChangeKind.GONE: "No longer tested",
}

SHOWN_WITH_EVIDENCE = (ChangeKind.REGRESSION, ChangeKind.FAILING, ChangeKind.IN_DOUBT)
"""Changes that are shown with their evidence and the command that reruns the case."""

Quote = Callable[[str], str]
"""Quotes foreign text, so that the format interprets nothing in it."""


class ComparisonFormat(StrEnum):
    """The formats of a regression report."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


def render_comparison(comparison: Comparison, form: ComparisonFormat, head: Path) -> str:
    """The report in this format; `head` is the later run's directory, where its evidence is."""
    if form is ComparisonFormat.JSON:
        return json.dumps({"schema": SCHEMA} | asdict(comparison), indent=1) + "\n"
    if form is ComparisonFormat.MARKDOWN:
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
        statuses = [status.replace("-", " ") for status in (before, after)]
        change = f"{statuses[0]}, as before" if before == after else " -> ".join(statuses)
        yield f"{quote(guest)}: {change}"


def _sections(
    comparison: Comparison, head: Path, quote: Quote
) -> Iterator[tuple[str, list[list[str]]]]:
    """Headings with their entries; empty sections are omitted, except regressions.

    An entry is a line, followed by lines of details.
    """
    changes = (*comparison.features, *comparison.cases)
    reported = {(case.guest, case.variant, case.feature, case.change) for case in comparison.cases}
    for change, heading in HEADINGS.items():
        entries = [_entry(one, head, quote, reported) for one in changes if one.change is change]
        if entries or change is ChangeKind.REGRESSION:
            yield heading, entries or [["none"]]
    yield from _figures(comparison, quote)
    if comparison.environment:
        changed = [
            [f"{quote(name)}: {quote(before) or 'none'} -> {quote(after) or 'none'}"]
            for name, before, after in comparison.environment
        ]
        yield "Environment", changed
    for side, run, variants in (
        ("base", comparison.base, comparison.only_base),
        ("head", comparison.head, comparison.only_head),
    ):
        if variants:
            alone = [[f"{quote(guest)} {quote(variant)}"] for guest, variant in variants]
            yield f"Only in the {side}, {quote(run)}", alone
    yield "Unchanged", [[f"{comparison.unchanged} features are unchanged"]]


def _figures(comparison: Comparison, quote: Quote) -> Iterator[tuple[str, list[list[str]]]]:
    if comparison.incomparable:
        yield "Figures", [[f"not compared: another {', '.join(comparison.incomparable)}"]]
    elif comparison.figures:
        heading = f"Figures that changed by more than {NOTABLE:.0%}"
        yield heading, [[_figure(one, quote)] for one in comparison.figures]


def _entry(
    change: Change, head: Path, quote: Quote, reported: set[tuple[str, str, str, ChangeKind]]
) -> list[str]:
    """`reported`: the features whose change a case reports with its reason."""
    is_case = change.subject != change.feature
    text = f"{quote(change.guest)} {quote(change.variant)} {quote(change.subject)}"
    if change.title:
        text += f" ({quote(change.title)})"
    text += f": {quote(change.before) or 'none'} -> {quote(change.after) or 'none'}"
    key = (change.guest, change.variant, change.feature, change.change)
    reason = quote(change.reason)
    if reason and change.change is not ChangeKind.REPAIRED and (is_case or key not in reported):
        text += f": {reason}"
    return [text, *(_details(change, head, quote) if change.change in SHOWN_WITH_EVIDENCE else ())]


def _details(change: Change, head: Path, quote: Quote) -> Iterator[str]:
    if change.evidence:
        yield f"evidence: {quote(str((head / change.evidence[0]).parent))}"
    if change.rerun:
        yield f"rerun: {quote(change.rerun)}"


def _figure(figure: Figure, quote: Quote) -> str:
    where = (
        f"{quote(figure.guest)} {quote(figure.variant)} {quote(figure.name)} ({quote(figure.case)})"
    )
    unit = quote(figure.unit)
    change = f", {figure.after / figure.before - 1:+.0%}" if figure.before else ""
    return f"{where}: {figure.before:.4g} {unit} -> {figure.after:.4g} {unit}{change}"
