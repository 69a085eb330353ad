"""`guestcert clean`: removes what runs left behind."""

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
        typer.Option(
            "--force", help="Also remove what has guestcert's name but no readable owner."
        ),
    ] = False,
) -> None:
    """Remove the machines, networks and files that ended runs left behind.

    What a living run owns stays, whoever started it. Base images stay too (see `guestcert images
    prune`).
    """
    root = store_root()
    with closing(open_hypervisor(hypervisor)) as connection:
        found = find(connection, root)
        wanted = (Status.STALE, Status.UNKNOWN) if force else (Status.STALE,)
        to_remove = [one for one in found if one.status in wanted]
        _show_rest(found, force=force)
        if dry_run:
            _show("would remove", to_remove)
            return
        removal = remove(connection, to_remove)
    for resource in removal.removed:
        echo(f"removed {resource}")
    if removal.failed:
        raise HarnessError(
            "not everything could be removed: " + "; ".join(removal.failed),
            remedy="look at the reason, then run `guestcert clean` again",
        )
    if not found:
        echo("nothing was left behind")


def _show_rest(found: Sequence[Found], *, force: bool) -> None:
    """Show what stays and why, and with --force what is removed without a readable owner."""
    for one in found:
        if one.status is Status.LIVING and one.owned.lease is not None:
            echo(f"kept    {one}: its run is alive, {describe(one.owned.lease)}")
    unknown = [one for one in found if one.status is Status.UNKNOWN]
    if force:
        _show("no readable owner:", unknown)
        return
    _show("kept   ", unknown, ": it has no readable owner; --force removes it")


def _show(what: str, resources: Sequence[Found], why: str = "") -> None:
    for resource in resources:
        echo(f"{what} {resource}{why}")
