"""`guestcert media`: the user's installation media."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.cli.guest_profiles import sound_profiles
from harness.cli.output import echo
from harness.errors import UsageError
from harness.image_store.media import MediaShelf, identify
from harness.image_store.places import store_root
from harness.profiles.model import Profile
from harness.profiles.osinfo import Database
from harness.profiles.selection import select
from harness.provisioning.prerequisites import missing_prerequisite
from harness.text import sanitize_line

app = typer.Typer(no_args_is_help=True)

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="ISO files.")]


@app.command()
def add(
    files: Files,
    guest: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The guest that they install, overriding the OS database."),
    ] = None,
) -> None:
    """Put ISO files on the shelf, recognised by the OS database; the files stay in place."""
    shelf, profiles, database = MediaShelf(store_root()), sound_profiles(), Database()
    named = _guest(guest, profiles)
    refused = 0
    for file in files:
        try:
            medium = shelf.add(file, profiles, database, named)
        except UsageError as error:
            refused += 1
            echo(f"guestcert: {error}", err=True)
            continue
        if not medium.profiles:
            echo(f"{file}: drivers for Windows")
            continue
        first, *others = medium.profiles
        line = f"{file}: {first}"
        if others:
            line += f" (or {', '.join(others)}, whose media have the same name)"
        echo(line)
    if refused:
        raise UsageError(f"{refused} of {len(files)} files were not added")


@app.command("identify")
def identify_media(files: Files) -> None:
    """Show what ISO files install; changes nothing."""
    profiles, database = sound_profiles(), Database()
    refused = 0
    for file in files:
        try:
            known = identify(file, profiles, database)
        except UsageError as error:
            refused += 1
            echo(f"guestcert: {error}", err=True)
            continue
        names = " or ".join(known.names) or "unknown to the OS database"
        boots = "" if known.bootable else ", not bootable"
        echo(f"{file}: volume id {known.volume!r}{boots}: {names}")
        echo(f"  profiles: {', '.join(known.profiles) or 'none'}")
    if refused:
        raise UsageError(f"{refused} of {len(files)} files were not identified")


@app.command("list")
def list_media() -> None:
    """List the media, the profiles that can be installed now, and what the others lack."""
    shelf, profiles = MediaShelf(store_root()), sound_profiles()
    table = Table(box=None, pad_edge=False)
    for column in ("medium", "volume id", "profiles", "state", "sha256"):
        table.add_column(column)
    for medium in shelf.media():
        state = (medium.trouble if medium.profiles else medium.damage) or "ready"
        names = ", ".join(medium.profiles)
        shown = (str(medium.path), medium.volume, names, state)
        table.add_row(*map(sanitize_line, shown), medium.sha256[:16])
    console = Console(markup=False)  # a medium's name may be anything
    console.print(table)
    states = [(profile, missing_prerequisite(profile, store_root())) for profile in profiles]
    ready = [profile.id for profile, lack in states if lack is None]
    console.print(f"\ncan be installed now: {', '.join(ready) or 'none'}\n", soft_wrap=True)
    if shelf.drivers() is None and any(p.windows and lack is None for p, lack in states):
        console.print("Windows gets no drivers and no guest agent: add the virtio-win medium\n")
    for (what, remedy), guests in _together(states).items():
        console.print(f"{what}: {', '.join(guests)}\n  try: {remedy}\n", soft_wrap=True)


def _together(
    states: Iterable[tuple[Profile, UsageError | None]],
) -> dict[tuple[str, str | None], list[str]]:
    """The guests by what they lack and its remedy: most lack the same."""
    found: dict[tuple[str, str | None], list[str]] = defaultdict(list)
    for profile, lack in states:
        if lack is not None:
            what = lack.sentence.replace(f" of {profile.id}", "")
            found[what, lack.remedy].append(profile.id)
    return found


def _guest(name: str | None, profiles: list[Profile]) -> Profile | None:
    """The profile of that name; raises UsageError where there is none."""
    if name is None:
        return None
    chosen = select(profiles, [name])
    if len(chosen) != 1:
        raise UsageError(
            f"{name!r} selects {len(chosen)} guests, but a medium installs one",
            remedy=f"name one: {', '.join(profile.id for profile in chosen[:5])}",
        )
    return chosen[0]
