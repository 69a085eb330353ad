"""`guestcert compare`: what changed between two runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.errors import UsageError
from harness.profiles.documents import nearest
from harness.profiles.places import project_root
from harness.reporting.regression import Format, written
from harness.results.comparison import compare as compared
from harness.results.model import RunRecord
from harness.results.store import RunDirectory, read_run, write_text

LATEST = "latest"


def compare(
    base: Annotated[str, typer.Argument(help="The earlier run: its id, or its folder.")],
    head: Annotated[str, typer.Argument(help="The later one, likewise.")] = LATEST,
    form: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TEXT,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Into a file; default: to the terminal.")
    ] = None,
    reports: Annotated[
        Path | None, typer.Option(help="Where runs are written; default: reports/.")
    ] = None,
) -> None:
    """Tell regressions, repairs and changed figures; ends with 1 where anything regressed."""
    folder = reports or project_root() / "reports"
    comparison = compared(_run(base, folder), _run(head, folder))
    text = written(comparison, form)
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_text(output, text)
        typer.echo(f"{output}: {comparison.base} held against {comparison.head}", err=True)
    sys.exit(comparison.exit_code)


def _run(name: str, folder: Path) -> RunRecord:
    """The record of a run, by its folder or by its id; raises UsageError where there is none."""
    for path in (Path(name), folder / name):
        if path.is_dir():
            return read_run(RunDirectory(path.resolve()))
    known = sorted(path.parent.name for path in folder.glob("*/run.json"))
    raise UsageError(
        f"there is no run {name!r} in {folder}",
        remedy=nearest(name, known) or (f"one of {', '.join(known[-5:])}" if known else None),
    )
