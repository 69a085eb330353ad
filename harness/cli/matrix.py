"""`guestcert matrix`: guests by features."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.output import echo, write_output
from harness.errors import UsageError
from harness.features.catalogue import load_catalogue
from harness.profiles.loader import load_profiles
from harness.profiles.selection import select
from harness.reporting.claims_formats import MatrixFormat, render_matrix
from harness.reporting.claims_matrix import claims_tables


def matrix(
    guest: Annotated[list[str] | None, typer.Argument(help="Id, glob or expression.")] = None,
    claims: Annotated[
        bool, typer.Option("--claims", help="The claims of vendors and owners, before any test.")
    ] = False,
    form: Annotated[
        MatrixFormat, typer.Option("--format", help="The format.")
    ] = MatrixFormat.MARKDOWN,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Into a file; default: to the terminal.")
    ] = None,
) -> None:
    """Write the support matrix of all guests, or of the selected ones."""
    if not claims:
        raise UsageError(
            "a matrix of results is not supported yet, only one of claims",
            remedy="guestcert matrix --claims",
        )
    profiles = load_profiles()
    chosen = select(profiles, guest) if guest else profiles
    text = render_matrix(claims_tables(chosen, load_catalogue()), form, date.today())
    write_output(text, output)
    if output is not None:
        echo(f"{output}: {len(chosen)} guests", err=True)
