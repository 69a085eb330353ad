"""`guestcert clean`: nothing of ours left behind."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.output import echo
from harness.errors import HarnessError
from harness.hypervisors.opening import open_hypervisor
from harness.image_store.places import store_root
from harness.lab.reaper import reap_dead

HypervisorOption = Annotated[
    str | None, typer.Option("--hypervisor", metavar="URI", help="Default: the host's own.")
]


def clean(hypervisor: HypervisorOption = None) -> None:
    """Take away the machines, networks and files of runs that ended without doing so.

    What a run that still goes on owns stays; base images stay too (see `guestcert images prune`).
    """
    connection = open_hypervisor(hypervisor)
    try:
        reaped = reap_dead(connection, store_root())
    finally:
        connection.close()
    for what in reaped.removed:
        echo(f"removed {what}")
    for what in reaped.kept:
        echo(f"kept    {what}: its run still goes on")
    if reaped.failed:
        raise HarnessError(
            "not everything could be removed: " + "; ".join(reaped.failed),
            remedy="look at the reason, then run `guestcert clean` again",
        )
    if not reaped.removed and not reaped.kept:
        echo("nothing of guestcert's was left")
