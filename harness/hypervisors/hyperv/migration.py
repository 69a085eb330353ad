"""Migration of machines between Hyper-V hosts, and of their files."""

from __future__ import annotations

from harness.hypervisors.hyperv.definition import HostFolders
from harness.hypervisors.hyperv.host_machine import HostMachine

MOVE_SECONDS = 3600.0
"""Moving copies all disks."""


class HypervStorageMove:
    """See StorageMove. `remove` and `clean` recognize the new folder by its name."""

    def __init__(self, machine: HostMachine) -> None:
        self._machine = machine

    def move(self, folder: str) -> None:
        """See StorageMove."""
        below = HostFolders.below(folder).machine(self._machine.name)
        doing = "moving the files of"
        self._machine.do("Move-Storage", doing, seconds=MOVE_SECONDS, Folder=below)
