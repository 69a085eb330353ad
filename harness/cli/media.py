"""`guestcert media`: the user's installation media."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.errors import UsageError
from harness.image_store.media import MediaShelf, identify, installable
from harness.image_store.places import store_root
from harness.profiles.loading import load_profiles
from harness.profiles.osinfo import Database

app = typer.Typer(no_args_is_help=True)

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="ISO files.")]


@app.command()
def add(files: Files) -> None:
    """Put ISO files on the shelf, recognised by the OS database; they stay where they are."""
    shelf, profiles, database = MediaShelf(store_root()), load_profiles(), Database()
    refused = []
    for file in files:
        try:
            medium = shelf.add(file, profiles, database)
        except UsageError as error:
            refused.append(error)
            typer.echo(f"guestcert: {error}", err=True)
            continue
        if not medium.profiles:
            typer.echo(f"{file}: drivers for Windows")
            continue
        first, *others = medium.profiles
        words = f"{file}: {first}"
        if others:
            words += f" (or {', '.join(others)}, whose media bear the same name)"
        typer.echo(words)
    if refused:
        raise UsageError(f"{len(refused)} of {len(files)} files were not added")


@app.command("identify")
def identify_media(files: Files) -> None:
    """Say what ISO files install, and change nothing."""
    profiles, database = load_profiles(), Database()
    for file in files:
        known = identify(file, profiles, database)
        names = " or ".join(known.names) or "unknown to the OS database"
        boots = "" if known.bootable else ", not bootable"
        typer.echo(f"{file}: volume id {known.volume!r}{boots}: {names}")
        typer.echo(f"  profiles: {', '.join(known.profiles) or 'none'}")


@app.command("list")
def list_media() -> None:
    """List the media, which profiles can be installed now, and what the others lack."""
    shelf, profiles = MediaShelf(store_root()), load_profiles()
    table = Table(box=None, pad_edge=False)
    for column in ("medium", "volume id", "profiles", "state"):
        table.add_column(column)
    for medium in shelf.media():
        state = (medium.trouble if medium.profiles else medium.damage) or "ready"
        table.add_row(str(medium.path), medium.volume, ", ".join(medium.profiles), state)
    console = Console()
    console.print(table)
    states = installable(profiles, shelf)
    ready = [profile.id for profile, lack in states if not lack]
    console.print(f"\ncan be installed now: {', '.join(ready) or 'none'}\n", soft_wrap=True)
    lacking = Table(box=None, pad_edge=False)
    lacking.add_column("profile")
    lacking.add_column("lacks")
    for profile, lack in states:
        if lack:
            lacking.add_row(profile.id, lack)
    console.print(lacking)
