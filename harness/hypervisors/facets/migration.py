"""Migration of machines to another host, and of their disks, running or not."""

from __future__ import annotations

from typing import Protocol

from harness.hypervisors.base import Machine
from harness.hypervisors.capabilities import HypervisorFacet, MachineFacet


class Migration(Protocol):
    """Migration of machines to this host, from another of its kind."""

    def move_here(self, machine: Machine) -> Machine:
        """Move a machine with all its disks to this host; the given one is gone.

        Raises HypervisorError where either host refuses; the machine is then unchanged.
        """
        ...


MIGRATION = HypervisorFacet[Migration]("migration")


class StorageMove(Protocol):
    """Moving a machine's files on its host."""

    def move(self, folder: str) -> None:
        """Move all files below another folder of the host, given as the host's path.

        Raises HypervisorError where the host refuses; the files then stay in place.
        """
        ...


STORAGE_MOVE = MachineFacet[StorageMove]("storage-move")
