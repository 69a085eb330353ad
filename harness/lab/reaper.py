"""Removes stale machines, networks and files of runs; resources of living runs stay."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from harness.errors import HarnessError, UsageError
from harness.hypervisors.base import Hypervisor, Owned
from harness.hypervisors.definitions import Ownership
from harness.hypervisors.leases import Lease
from harness.lab.ownership import host_id, is_stale, own
from harness.lab.workspace import workspaces

FILES = "files"
"""The resource kind of a run's folder in the store; its name is the folder's path."""


class Status(StrEnum):
    """The status of a resource that carries guestcert's name."""

    STALE = "stale"  # its run is over
    LIVING = "living"  # its run may be alive
    UNKNOWN = "unknown"  # its owner cannot be read


@dataclass(frozen=True)
class Found:
    """A machine, network or folder that carries guestcert's name."""

    owned: Owned
    status: Status

    def __str__(self) -> str:
        return f"{self.owned.kind} {self.owned.name}"


@dataclass
class Removal:
    """What was removed, and what could not be (with the reason)."""

    removed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def find(hypervisor: Hypervisor, root: Path, now: datetime | None = None) -> list[Found]:
    """Everything that carries guestcert's name, in the order of removal."""
    return [Found(owned, _status(owned.lease, now)) for owned in _all(hypervisor, root)]


def remove(hypervisor: Hypervisor, things: Iterable[Found]) -> Removal:
    """Remove the given resources."""
    removal = Removal()
    for thing in things:
        try:
            if thing.owned.kind == FILES:
                _remove_folder(Path(thing.owned.name))
            else:
                hypervisor.remove(thing.owned)
            removal.removed.append(str(thing))
        except HarnessError as error:
            removal.failed.append(f"{thing}: {error.sentence}")
    return removal


def reap_run(hypervisor: Hypervisor, root: Path, run: str) -> Removal:
    """Remove everything of a run that is over, or that this process leads."""
    mine, folder = own(run), root / "runs" / run
    found = [
        thing
        for thing in find(hypervisor, root)
        if _belongs(thing, run, mine) or _is_own_folder_without_lease(thing, folder)
    ]
    return remove(hypervisor, found)


def require_free(hypervisor: Hypervisor | None, root: Path, run: str) -> None:
    """Raise UsageError if a living run of another process has this id, here or elsewhere."""
    mine = own(run)
    for owned in _all(hypervisor, root):
        if owned.lease is None or owned.owner == mine:
            continue
        if owned.lease.owner.run == run and not is_stale(owned.lease):
            raise UsageError(
                f"the run {run} is still running, {describe(owned.lease)}",
                remedy="wait until it ends, or stop it",
            )


def describe(lease: Lease) -> str:
    """Where the lease's run is running, as text."""
    owner = lease.owner
    if owner.host == host_id():
        return f"in process {owner.pid}"
    until = f"{lease.expires:%Y-%m-%d %H:%M} UTC"
    return f"on another host or in a container: its lease holds until {until}"


def _all(hypervisor: Hypervisor | None, root: Path) -> Iterator[Owned]:
    """Machines first, then networks (they would take the machines' NICs along), then files.

    The lease on a run's folder replaces older leases of the same owner.
    """
    folders = list(workspaces(root))
    held = {lease.owner: lease for _, lease in folders if lease is not None}
    present = hypervisor.owned() if hypervisor is not None else ()
    for owned in sorted(present, key=lambda owned: owned.kind):
        yield Owned(owned.kind, owned.name, _later(owned.lease, held))
    for folder, lease in folders:
        yield Owned(FILES, str(folder), lease)


def _later(lease: Lease | None, held: dict[Ownership, Lease]) -> Lease | None:
    if lease is None:
        return None
    return max(lease, held.get(lease.owner, lease), key=lambda each: each.expires)


def _status(lease: Lease | None, now: datetime | None) -> Status:
    if lease is None:
        return Status.UNKNOWN
    return Status.STALE if is_stale(lease, now) else Status.LIVING


def _belongs(thing: Found, run: str, mine: Ownership) -> bool:
    owner = thing.owned.owner
    if owner is None or owner.run != run:
        return False
    return owner == mine or thing.status is Status.STALE


def _is_own_folder_without_lease(thing: Found, folder: Path) -> bool:
    """Whether it is the run's folder, whose lease was lost: only one has that name."""
    return thing.status is Status.UNKNOWN and thing.owned == Owned(FILES, str(folder), None)


def _remove_folder(folder: Path) -> None:
    """Remove a folder, or the file of that name; links are not followed."""
    if folder.is_symlink() or not folder.is_dir():
        folder.unlink(missing_ok=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        raise HarnessError("it could not be removed completely")
