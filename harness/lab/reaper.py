"""Takes away what a run left: machines, networks and files, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import HarnessError
from harness.hypervisors.base import NAME_PREFIX, Hypervisor, Owned
from harness.hypervisors.definitions import Ownership
from harness.lab.ownership import is_alive
from harness.lab.workspace import workspaces


@dataclass
class Reaped:
    """What was taken away, and what could not be (with the reason)."""

    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # of runs that still go on
    failed: list[str] = field(default_factory=list)


def reap_run(hypervisor: Hypervisor, root: Path, run: str) -> Reaped:
    """Take away everything of one run of this process, which is over."""
    return _reap(hypervisor, root, lambda of, _: of == run)


def reap_dead(hypervisor: Hypervisor, root: Path) -> Reaped:
    """Take away everything whose owner is dead; what a living run owns stays."""
    return _reap(hypervisor, root, lambda _, owner: owner is None or not is_alive(owner))


def _reap(
    hypervisor: Hypervisor, root: Path, doomed: Callable[[str, Ownership | None], bool]
) -> Reaped:
    reaped = Reaped()
    folders = dict(workspaces(root))
    present = hypervisor.owned()
    # A network says nothing of its owner; its run's folder does, and its run's machines do too,
    # where the run has its folder in another store.
    owners = {owned.owner.run: owned.owner for owned in present if owned.owner is not None}
    owners |= {folder.name: owner for folder, owner in folders.items() if owner is not None}
    # Machines before networks: a network in use would take its machines' cards along.
    for owned in sorted(present, key=lambda owned: owned.kind):
        run = _run_of(owned, owners)
        if not doomed(run, owned.owner or owners.get(run)):
            reaped.kept.append(f"{owned.kind} {owned.name}")
            continue
        try:
            hypervisor.remove(owned)
            reaped.removed.append(f"{owned.kind} {owned.name}")
        except HarnessError as error:
            reaped.failed.append(f"{owned.kind} {owned.name}: {error.sentence}")
    for folder, owner in folders.items():
        if not doomed(folder.name, owner):
            reaped.kept.append(f"files {folder}")
            continue
        shutil.rmtree(folder, ignore_errors=True)
        outcome = reaped.failed if folder.exists() else reaped.removed
        outcome.append(f"files {folder}")
    return reaped


def _run_of(owned: Owned, owners: dict[str, Ownership]) -> str:
    """The run that something belongs to: by its metadata, else by its name's beginning."""
    if owned.owner is not None:
        return owned.owner.run
    rest = owned.name.removeprefix(NAME_PREFIX)
    candidates = [run for run in owners if rest == run or rest.startswith(f"{run}-")]
    return max(candidates, key=len, default=rest.rpartition("-")[0])
