"""Removes what runs left: machines, networks and files, and nothing of a run that lives."""

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
"""The kind of a run's folder in the store; its name is the folder's path."""


class Status(StrEnum):
    """What may be done with something that carries guestcert's name."""

    STALE = "stale"  # its run is over
    LIVING = "living"  # its run may be alive
    UNKNOWN = "unknown"  # nobody can read whose it is


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
    """Everything that carries guestcert's name, in the order in which it can be removed."""
    return [Found(owned, _status(owned.lease, now)) for owned in _all(hypervisor, root)]


def remove(hypervisor: Hypervisor, things: Iterable[Found]) -> Removal:
    """Remove what was found."""
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
        if _belongs(thing, run, mine) or _is_spoilt(thing, folder)
    ]
    return remove(hypervisor, found)


def require_free(hypervisor: Hypervisor | None, root: Path, run: str) -> None:
    """Raise UsageError where a living run of another process has this name, here or elsewhere."""
    mine = own(run)
    for owned in _all(hypervisor, root):
        if owned.lease is None or owned.owner == mine:
            continue
        if owned.lease.owner.run == run and not is_stale(owned.lease):
            raise UsageError(
                f"the run {run} still goes on, {describe(owned.lease)}",
                remedy="wait for its end, or stop it",
            )


def describe(lease: Lease) -> str:
    """In words, where its run goes on."""
    owner = lease.owner
    if owner.host == host_id():
        return f"in process {owner.pid}"
    until = f"{lease.expires:%Y-%m-%d %H:%M} UTC"
    return f"on another host or in a container: its lease holds until {until}"


def _all(hypervisor: Hypervisor | None, root: Path) -> Iterator[Owned]:
    """Machines before networks, which would take machines' cards along; files at last.

    A run's folder in the store answers for what has an older lease of the same owner.
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


def _is_spoilt(thing: Found, folder: Path) -> bool:
    """Whether it is the run's own folder, which lost its lease: there is one of that name."""
    return thing.status is Status.UNKNOWN and thing.owned == Owned(FILES, str(folder), None)


def _remove_folder(folder: Path) -> None:
    """Remove a folder, or whatever lies in its place; a link is not followed."""
    if folder.is_symlink() or not folder.is_dir():
        folder.unlink(missing_ok=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        raise HarnessError("not all of it could be removed")
