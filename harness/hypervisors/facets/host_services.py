"""Host side of integration services that the hypervisor itself provides, as Hyper-V does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from harness.hypervisors.capabilities import MachineFacet


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


class HostServices(Protocol):
    """Host side of one machine's services. Every method raises HypervisorError."""

    def states(self) -> Mapping[ServiceName, ServiceState]:
        """Every service with its state."""
        ...

    def switch(self, service: ServiceName, *, on: bool) -> None:
        """Enable or disable a service on the host."""
        ...


HOST_SERVICES = MachineFacet[HostServices]("host-services")


class DataExchange(Protocol):
    """Key-value pairs between host and guest. Every method raises HypervisorError."""

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


DATA_EXCHANGE = MachineFacet[DataExchange]("data-exchange")


class FileCopy(Protocol):
    """Copying files into the guest."""

    def copy(self, source: Path, destination: str, *, force: bool = False) -> None:
        """Copy a local file; replaces an existing file only with `force`.

        Raises HypervisorError where host or guest refuses.
        """
        ...


FILE_COPY = MachineFacet[FileCopy]("file-copy")
