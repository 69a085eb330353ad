"""Snapshots and saved states."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from harness.hypervisors.capabilities import MachineFacet


class Snapshots(Protocol):
    """Snapshots of a machine's disks, and of its memory while it runs, in a chain."""

    def take(self, name: str) -> None:
        """Take a snapshot; a running machine keeps running."""
        ...

    def names(self) -> Sequence[str]:
        """Names of the snapshots, oldest first."""
        ...

    def revert(self, name: str, *, paused: bool = False) -> None:
        """Return to the snapshot of this name.

        With memory in it the machine runs, or is `paused`; without, it is off.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove a snapshot; the machine's current state stays."""
        ...


SNAPSHOTS = MachineFacet[Snapshots]("snapshot")


class ProductionSnapshots(Protocol):
    """Snapshots of disks that a running guest has quiesced; Snapshots has their other methods."""

    def take(self, name: str) -> None:
        """Take one, without memory; raises HypervisorError where the guest does not quiesce."""
        ...


PRODUCTION_SNAPSHOTS = MachineFacet[ProductionSnapshots]("production-checkpoint")


class SavedStates(Protocol):
    """Saved memory and device state of a machine."""

    def save(self, state_file: Path) -> None:
        """Write memory and device state to `state_file` and stop the machine."""
        ...

    def restore(self, state_file: Path, *, paused: bool = False) -> None:
        """Continue from `state_file`, over the disks of the current definition."""
        ...


SAVED_STATES = MachineFacet[SavedStates]("save-restore")
