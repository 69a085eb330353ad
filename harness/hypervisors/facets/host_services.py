"""Host side of integration services that the hypervisor itself provides, as Hyper-V does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from harness.hypervisors.base import Machine
from harness.hypervisors.capabilities import Capability
from harness.hypervisors.definitions import DynamicMemory

HOST_SERVICES = Capability("host-services")
"""The hypervisor itself provides integration services."""


class ServiceName(StrEnum):
    """Names of the integration services."""

    HEARTBEAT = "heartbeat"
    SHUTDOWN = "shutdown"
    TIME_SYNC = "time-sync"
    DATA_EXCHANGE = "data-exchange"
    BACKUP = "backup"
    FILE_COPY = "file-copy"


@dataclass(frozen=True)
class ServiceState:
    """State of one service on the host; `status` is the hypervisor's own term."""

    enabled: bool
    status: str

    @property
    def answers(self) -> bool:
        """Whether the guest's side runs and is healthy."""
        return self.enabled and self.status.lower() == "ok"


class CheckpointKind(StrEnum):
    """Kind of a checkpoint."""

    STANDARD = "standard"  # memory and disks, without the guest's help
    PRODUCTION = "production"  # disks that the guest has quiesced; fails otherwise


@dataclass(frozen=True)
class MemoryFacts:
    """A machine's memory in MiB, as the host reports it."""

    dynamic: bool
    startup: int
    minimum: int
    maximum: int
    assigned: int
    demand: int


class HostServices(Protocol):
    """Host side of one machine's services. Every method raises HypervisorError."""

    def states(self) -> Mapping[ServiceName, ServiceState]:
        """Every service with its state."""
        ...

    def switch(self, service: ServiceName, *, on: bool) -> None:
        """Enable or disable a service on the host."""
        ...

    def guest_pairs(self) -> Mapping[str, str]:
        """Pairs that the guest publishes; never trusted."""
        ...

    def host_pairs(self) -> Mapping[str, str]:
        """Pairs that the host gave the guest."""
        ...

    def add_pair(self, key: str, value: str) -> None:
        """Give the guest a pair with a new key."""
        ...

    def modify_pair(self, key: str, value: str) -> None:
        """Change an existing pair of the guest."""
        ...

    def remove_pair(self, key: str) -> None:
        """Remove a pair from the guest."""
        ...

    def copy_file(self, source: Path, destination: str, *, force: bool = False) -> None:
        """Copy a local file into the guest; replaces an existing file only with `force`."""
        ...

    def checkpoint(self, name: str, kind: CheckpointKind) -> None:
        """Take a checkpoint."""
        ...

    def checkpoints(self) -> Sequence[str]:
        """Names of the checkpoints, oldest first."""
        ...

    def restore_checkpoint(self, name: str) -> None:
        """Restore the machine to a checkpoint."""
        ...

    def remove_checkpoint(self, name: str) -> None:
        """Remove a checkpoint."""
        ...

    def memory(self) -> MemoryFacts:
        """The machine's memory now."""
        ...

    def resize_memory(
        self, startup_mib: int | None = None, limits: DynamicMemory | None = None
    ) -> None:
        """Change the amount of static memory, or the limits of dynamic memory."""
        ...


@runtime_checkable
class HasHostServices(Protocol):
    """A machine whose hypervisor provides integration services."""

    @property
    def services(self) -> HostServices:
        """Host side of the services."""
        ...


def host_services_of(machine: Machine) -> HostServices | None:
    """Host side of a machine's services; None where the hypervisor provides none."""
    return machine.services if isinstance(machine, HasHostServices) else None
