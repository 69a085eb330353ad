"""`guestcert compare`: the changes between two runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.output import echo, write_output
from harness.cli.run_lookup import run_directory
from harness.errors import UsageError
from harness.profiles.places import project_root
from harness.reporting.regression import ComparisonFormat, render_comparison
from harness.results.comparison import compare as compared
from harness.results.model import RunRecord
from harness.results.store import LATEST, read_record


def compare(
    base: Annotated[
        str, typer.Argument(help="The earlier run: its id, its folder, or its run.json.")
    ],
    head: Annotated[str, typer.Argument(help="The later run, in the same form.")] = LATEST,
    form: Annotated[
        ComparisonFormat, typer.Option("--format", help="The format.")
    ] = ComparisonFormat.TEXT,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Into a file; default: to the terminal.")
    ] = None,
    reports: Annotated[
        Path | None, typer.Option(help="Where runs are written; default: reports/.")
    ] = None,
) -> None:
    """Show regressions, repairs and changed figures; ends with 1 where anything regressed."""
    folder = reports or project_root() / "reports"
    (earlier, _), (later, later_folder) = (_read(name, folder) for name in (base, head))
    if earlier == later:
        raise UsageError(
            f"{base} and {head} are the same run, {later.run}",
            remedy="name an earlier run first",
        )
    comparison = compared(earlier, later)
    write_output(render_comparison(comparison, form, later_folder), output)
    if output is not None:
        echo(f"{output}: {comparison.base} compared with {comparison.head}", err=True)
    sys.exit(comparison.exit_code)


def _read(name: str, reports: Path) -> tuple[RunRecord, Path]:
    """A run's record, and the folder where its evidence is."""
    file = Path(name)
    if not file.is_file():
        file = run_directory(name, reports).run_json
    return read_record(file), file.parent
