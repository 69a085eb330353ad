"""`guestcert clean`: nothing of ours left behind."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Annotated

import typer

from harness.cli.output import echo
from harness.errors import HarnessError
from harness.hypervisors.connection import open_hypervisor
from harness.image_store.places import store_root
from harness.lab.reaper import Found, Status, describe, find, remove

HypervisorOption = Annotated[
    str | None, typer.Option("--hypervisor", metavar="URI", help="Default: the host's own.")
]


def clean(
    hypervisor: HypervisorOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be removed.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Also remove what has our name and no readable owner."),
    ] = False,
) -> None:
    """Remove the machines, networks and files of runs that ended without doing so.

    What a run that still goes on owns stays, whoever started it; base images stay too (see
    `guestcert images prune`).
    """
    root = store_root()
    with closing(open_hypervisor(hypervisor)) as connection:
        found = find(connection, root)
        wanted = (Status.STALE, Status.UNKNOWN) if force else (Status.STALE,)
        to_remove = [thing for thing in found if thing.status in wanted]
        _show_rest(found, force=force)
        if dry_run:
            _show("would remove", to_remove)
            return
        removal = remove(connection, to_remove)
    for what in removal.removed:
        echo(f"removed {what}")
    if removal.failed:
        raise HarnessError(
            "not everything could be removed: " + "; ".join(removal.failed),
            remedy="look at the reason, then run `guestcert clean` again",
        )
    if not found:
        echo("nothing of guestcert's was left")


def _show_rest(found: Sequence[Found], *, force: bool) -> None:
    """What stays and why; and first of all what nobody is known to own, where it goes too."""
    for thing in found:
        if thing.status is Status.LIVING and thing.owned.lease is not None:
            why = f"its run still goes on, {describe(thing.owned.lease)}"
            echo(f"kept    {thing}: {why}")
    unknown = [thing for thing in found if thing.status is Status.UNKNOWN]
    if force:
        _show("no readable owner:", unknown)
        return
    _show("kept   ", unknown, ": it has no readable owner; --force removes it")


def _show(what: str, things: Sequence[Found], why: str = "") -> None:
    for thing in things:
        echo(f"{what} {thing}{why}")
