"""Machines that go to another host, or whose disks go elsewhere, whether they run or not."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from harness.hypervisors.base import Hypervisor, Machine


@runtime_checkable
class TakesMachines(Protocol):
    """A connection whose host takes over machines of another one of its kind."""

    def move_here(self, machine: Machine) -> Machine:
        """The machine, with all its disks, on this host; the given one is gone.

        Raises HypervisorError where either host refuses: the machine stays as it was then.
        """
        ...


@runtime_checkable
class MovesStorage(Protocol):
    """A machine whose files go elsewhere on its host."""

    def move_storage(self, folder: str) -> None:
        """Move all files below another folder of the host's, by the host's own path.

        Raises HypervisorError where the host refuses: they stay where they were then.
        """
        ...


def taker_of(hypervisor: Hypervisor) -> TakesMachines | None:
    """The connection, as one that takes over machines; None where it can't."""
    return hypervisor if isinstance(hypervisor, TakesMachines) else None


def storage_mover_of(machine: Machine) -> MovesStorage | None:
    """The machine, as one whose files can move; None where they can't."""
    return machine if isinstance(machine, MovesStorage) else None
