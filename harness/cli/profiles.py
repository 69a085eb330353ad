"""`guestcert profiles`: the guests that guestcert knows."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.errors import UsageError
from harness.profiles.loading import digest, examine_profiles, load_profiles
from harness.profiles.model import Profile
from harness.profiles.selection import select

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_profiles(
    guest: Annotated[list[str] | None, typer.Argument(help="Id, glob or expression.")] = None,
) -> None:
    """List the profiles, or those that an id, a glob or an expression means."""
    profiles = load_profiles()
    table = Table(box=None, pad_edge=False)
    for column in ("id", "name", "variants", "end of support"):
        table.add_column(column)
    for profile in select(profiles, guest) if guest else profiles:
        end = profile.lifecycle.end_of_support.isoformat()
        table.add_row(profile.id, profile.name, ", ".join(profile.variants), end)
    Console().print(table)


@app.command()
def show(guest: str) -> None:
    """Show one profile as guestcert understands it."""
    for profile in select(load_profiles(), [guest]):
        document = profile.model_dump(mode="json") | {"digest": digest(profile)}
        typer.echo(json.dumps(document, indent=2))


@app.command()
def validate() -> None:
    """Check every profile, and tell all problems of all files at once."""
    profiles, problems = examine_profiles()
    for problem in problems:
        typer.echo(str(problem), err=True)
    if problems:
        raise UsageError(f"{len(problems)} problems in the profiles")
    typer.echo(f"{len(profiles)} profiles, all valid")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a profile, for editors."""
    typer.echo(json.dumps(Profile.model_json_schema(), indent=2))
