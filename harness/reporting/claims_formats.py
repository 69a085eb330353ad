"""The matrix of claims as HTML, Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import date
from enum import StrEnum

from harness.reporting.claims_matrix import Cell, ClaimsTable, ClaimSummary
from harness.reporting.pages import page

SIGNS = {
    ClaimSummary.SUPPORTED: "✓",
    ClaimSummary.CONDITIONAL: "◐",
    ClaimSummary.UNSUPPORTED: "✗",
    ClaimSummary.DISPUTED: "≠",
    ClaimSummary.NOTHING: "",
}
"""A sign for each summary; `≠` where two sources disagree."""

COLUMNS = ("guest", "hypervisor", "feature", "claim", "condition", "source")


class MatrixFormat(StrEnum):
    """The formats of a matrix."""

    HTML = "html"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"


def render_matrix(tables: Sequence[ClaimsTable], form: MatrixFormat, today: date) -> str:
    """The matrix in this format."""
    if form is MatrixFormat.HTML:
        return page("claims.html.j2", tables=tables, signs=SIGNS, today=today)
    if form is MatrixFormat.MARKDOWN:
        return "\n".join(_markdown(table) for table in tables)
    records = [record for table in tables for record in _records(table)]
    if form is MatrixFormat.JSON:
        return json.dumps(records, indent=1, ensure_ascii=False) + "\n"
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def _records(table: ClaimsTable) -> Iterator[dict[str, str]]:
    """One record for each statement of each source."""
    for row in table.rows:
        for cell in row.cells:
            for statement in cell.statements:
                values = (
                    *(row.profile.id, str(table.on), cell.feature.id),
                    *(str(statement.claim), statement.condition, statement.source),
                )
                yield dict(zip(COLUMNS, values, strict=True))


def _markdown(table: ClaimsTable) -> str:
    numbers = {source: number for number, source in enumerate(table.sources, 1)}
    lines = [f"## Claims on {table.name}", ""]
    lines.append("| guest | " + " | ".join(feature.id for feature in table.features) + " |")
    lines.append("|---" * (1 + len(table.features)) + "|")
    for row in table.rows:
        cells = " | ".join(_markdown_cell(cell, numbers) for cell in row.cells)
        lines.append(f"| {row.profile.id} | {cells} |")
    lines += ["", ", ".join(f"{sign} {summary}" for summary, sign in SIGNS.items() if sign), ""]
    lines += [f"{number}. <{source}>" for source, number in numbers.items()]
    return "\n".join(lines) + "\n"


def _markdown_cell(cell: Cell, numbers: dict[str, int]) -> str:
    sources = ", ".join(f"[{numbers[statement.source]}]" for statement in cell.statements)
    return f"{SIGNS[cell.summary]} {sources}".strip()
