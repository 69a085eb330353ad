"""Integration services that the hypervisor itself carries, as Hyper-V does: their host's side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from harness.hypervisors.base import Machine
from harness.hypervisors.definitions import DynamicMemory


class ServiceName(StrEnum):
    """The services, as cases name them."""

    HEARTBEAT = "heartbeat"
    SHUTDOWN = "shutdown"
    TIME_SYNC = "time-sync"
    DATA_EXCHANGE = "data-exchange"
    BACKUP = "backup"
    FILE_COPY = "file-copy"


@dataclass(frozen=True)
class ServiceState:
    """What the host says of one service; `status` is the hypervisor's own word."""

    enabled: bool
    status: str

    @property
    def answers(self) -> bool:
        """Whether the guest's side is there and well."""
        return self.enabled and self.status.lower() == "ok"


class CheckpointKind(StrEnum):
    """How a checkpoint is taken."""

    STANDARD = "standard"  # memory and disks as they are
    PRODUCTION = "production"  # the guest quiesces its disks first, or there is none


@dataclass(frozen=True)
class MemoryFacts:
    """A machine's memory in MiB, as the host counts it."""

    dynamic: bool
    startup: int
    minimum: int
    maximum: int
    assigned: int
    demand: int


class HostServices(Protocol):
    """The host's side of one machine's services. Every method raises HypervisorError."""

    def states(self) -> Mapping[ServiceName, ServiceState]:
        """Every service with its state."""
        ...

    def switch(self, service: ServiceName, *, on: bool) -> None:
        """Enable or disable a service on the host's side."""
        ...

    def guest_pairs(self) -> Mapping[str, str]:
        """What the guest tells of itself; never trusted."""
        ...

    def host_pairs(self) -> Mapping[str, str]:
        """What the host gave the guest."""
        ...

    def add_pair(self, key: str, value: str) -> None:
        """Give the guest a pair whose key it has not."""
        ...

    def modify_pair(self, key: str, value: str) -> None:
        """Change a pair that the guest has."""
        ...

    def remove_pair(self, key: str) -> None:
        """Take a pair from the guest."""
        ...

    def copy_file(self, source: Path, destination: str, *, force: bool = False) -> None:
        """Copy a local file into the guest; one that is there is replaced only with `force`."""
        ...

    def checkpoint(self, name: str, kind: CheckpointKind) -> None:
        """Take a checkpoint."""
        ...

    def checkpoints(self) -> Sequence[str]:
        """The names of the checkpoints, the oldest first."""
        ...

    def restore_checkpoint(self, name: str) -> None:
        """Put the machine back to a checkpoint."""
        ...

    def remove_checkpoint(self, name: str) -> None:
        """Take a checkpoint away."""
        ...

    def memory(self) -> MemoryFacts:
        """What the memory is now."""
        ...

    def resize_memory(
        self, startup_mib: int | None = None, limits: DynamicMemory | None = None
    ) -> None:
        """Change the amount, where memory is static, or its limits, where it is dynamic."""
        ...


@runtime_checkable
class HasHostServices(Protocol):
    """A machine whose hypervisor carries integration services."""

    @property
    def services(self) -> HostServices:
        """The host's side of them."""
        ...


def host_services_of(machine: Machine) -> HostServices | None:
    """The host's side of a machine's services; None where the hypervisor carries none."""
    return machine.services if isinstance(machine, HasHostServices) else None
