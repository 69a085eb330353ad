"""`guestcert profiles`: the profiles of guests."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.cli.guest_profiles import profiles_for, sound_profiles
from harness.cli.output import echo
from harness.errors import UsageError
from harness.profiles.loader import digest, examine_profiles, resolve_profiles
from harness.profiles.model import Profile
from harness.profiles.places import profiles_folder
from harness.profiles.rendering import shown
from harness.profiles.selection import select

app = typer.Typer(no_args_is_help=True)

ENDS_SOON_DAYS = 365


@app.command("list")
def list_profiles(
    guest: Annotated[list[str] | None, typer.Argument(help="Id, glob or expression.")] = None,
) -> None:
    """List the profiles, or those that an id, a glob or an expression selects."""
    table = Table(box=None, pad_edge=False)
    for column in ("id", "name", "variants", "image", "end of support"):
        table.add_column(column, no_wrap=column == "id")
    for profile in profiles_for(guest) if guest else sound_profiles():
        image = "recipe" if profile.recipe else "--image"
        variants = ", ".join(profile.variants)
        table.add_row(profile.id, profile.name, variants, image, _end(profile, date.today()))
    Console(markup=False).print(table)


@app.command()
def show(
    guest: str,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="Show the file and line of each value.")
    ] = False,
) -> None:
    """Show one profile with all inherited values."""
    everything = {known.profile.id: known for known in resolve_profiles()}
    for profile in select([known.profile for known in everything.values()], [guest]):
        if resolved:
            typer.echo(shown(everything[profile.id].located, profiles_folder().parent), nl=False)
        else:
            document = profile.model_dump(mode="json", exclude_none=True)
            typer.echo(json.dumps(document | {"digest": digest(profile)}, indent=2))


@app.command()
def validate() -> None:
    """Check every profile, and show all problems of all files at once."""
    examined = examine_profiles()
    for problem in examined.problems:
        echo(str(problem), err=True)
    if examined.problems:
        raise UsageError(f"{len(examined.problems)} problems in the profiles")
    echo(f"{len(examined.resolved)} profiles, all valid")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a profile, for editors."""
    typer.echo(json.dumps(Profile.model_json_schema(), indent=2))


def _end(profile: Profile, today: date) -> Text:
    """The end of support: red when past, yellow when near."""
    end = profile.lifecycle.end
    if end is None:
        return Text("none known", "dim")
    if profile.lifecycle.is_over(today):
        return Text(f"{end} over", "red")
    return Text(str(end), "yellow" if (end - today).days < ENDS_SOON_DAYS else "green")
