"""Migration of machines to another host, and of their disks, running or not."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from harness.hypervisors.base import Hypervisor, Machine


@runtime_checkable
class TakesMachines(Protocol):
    """A connection whose host accepts machines of another host of its kind."""

    def move_here(self, machine: Machine) -> Machine:
        """Move a machine with all its disks to this host; the given one is gone.

        Raises HypervisorError where either host refuses; the machine is then unchanged.
        """
        ...


@runtime_checkable
class MovesStorage(Protocol):
    """A machine whose files can move on its host."""

    def move_storage(self, folder: str) -> None:
        """Move all files below another folder of the host, given as the host's path.

        Raises HypervisorError where the host refuses; the files then stay in place.
        """
        ...


def taker_of(hypervisor: Hypervisor) -> TakesMachines | None:
    """The connection as one that accepts machines; None where it does not."""
    return hypervisor if isinstance(hypervisor, TakesMachines) else None


def storage_mover_of(machine: Machine) -> MovesStorage | None:
    """The machine as one whose files can move; None where they cannot."""
    return machine if isinstance(machine, MovesStorage) else None
