"""`guestcert compare`: what changed between two runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.output import echo, write_output
from harness.cli.run_lookup import LATEST, run_directory
from harness.profiles.places import project_root
from harness.reporting.regression import Format, written
from harness.results.comparison import compare as compared
from harness.results.store import read_run


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
    comparison = compared(*(read_run(run_directory(name, folder)) for name in (base, head)))
    text = written(comparison, form)
    write_output(text, output)
    if output is not None:
        echo(f"{output}: {comparison.base} held against {comparison.head}", err=True)
    sys.exit(comparison.exit_code)
