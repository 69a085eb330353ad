"""The contract of every hypervisor: Machine, Network, Hypervisor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from harness.events import EventLog
from harness.hypervisors.capabilities import (
    Capability,
    Facet,
    HypervisorFacet,
    MachineFacet,
    NetworkFacet,
)
from harness.hypervisors.definitions import (
    MachineDefinition,
    NetworkDefinition,
    Ownership,
)
from harness.hypervisors.leases import Lease

F = TypeVar("F")

NAME_PREFIX = "guestcert-"
"""Prefix of every machine and network that guestcert owns; nothing else is ever touched."""


class MachineState(StrEnum):
    """A machine's state, as the hypervisor reports it."""

    OFF = "off"
    RUNNING = "running"
    PAUSED = "paused"
    CRASHED = "crashed"
    ASLEEP = "asleep"  # suspended to memory, by its guest


class Machine(Protocol):
    """One virtual machine. Every method raises HypervisorError where the hypervisor refuses."""

    @property
    def name(self) -> str:
        """The name, which begins with NAME_PREFIX."""
        ...

    @property
    def definition(self) -> MachineDefinition:
        """The definition that it was created from."""
        ...

    @property
    def events(self) -> EventLog:
        """The hypervisor's events since the machine was created, without polling."""
        ...

    @property
    def facets(self) -> frozenset[Facet[Any]]:
        """The facets that this machine has."""
        ...

    def facet(self, facet: MachineFacet[F]) -> F:
        """The interface of a facet; raises NotApplicable where the machine lacks it."""
        ...

    def state(self) -> MachineState:
        """The current state."""
        ...

    def seconds_starved(self) -> float:
        """Seconds since its start that a processor was runnable while the host ran others.

        That of the processor that waited longest; 0 where the hypervisor does not count it.
        """
        ...

    def start(self, *, paused: bool = False) -> None:
        """Power on; with `paused`, stop before the first instruction until `resume`."""
        ...

    def pause(self) -> None:
        """Stop the virtual CPUs."""
        ...

    def resume(self) -> None:
        """Resume the virtual CPUs."""
        ...

    def reset(self) -> None:
        """Press the reset button."""
        ...

    def power_off(self) -> None:
        """Cut the power (idempotent)."""
        ...

    def remove(self) -> None:
        """Power off; remove the machine, its NVRAM and snapshots, not its disks (idempotent)."""
        ...

    def description(self) -> str:
        """The hypervisor's own full description, for people and evidence."""
        ...

    def hypervisor_log(self) -> str:
        """The end (at most 64 KiB) of the hypervisor's log of this machine."""
        ...


class Network(Protocol):
    """An isolated network that guestcert owns."""

    @property
    def name(self) -> str:
        """The name, which begins with NAME_PREFIX."""
        ...

    def facet(self, facet: NetworkFacet[F]) -> F:
        """The interface of a facet; raises NotApplicable where the network lacks it."""
        ...

    def leases(self) -> Mapping[str, str]:
        """Leased IPv4 addresses by MAC."""
        ...

    def remove(self) -> None:
        """Remove the network (idempotent)."""
        ...


@dataclass(frozen=True)
class Owned:
    """A resource with NAME_PREFIX found on a hypervisor, with its lease (None: unreadable)."""

    kind: str  # machine, network
    name: str
    lease: Lease | None

    @property
    def owner(self) -> Ownership | None:
        """The owner, by the lease."""
        return self.lease.owner if self.lease is not None else None


@dataclass(frozen=True)
class HypervisorFacts:
    """Facts for the environment fingerprint; the values are the hypervisor's own."""

    name: str  # QEMU, Hyper-V, fake
    version: str
    extra: Mapping[str, str] = field(default_factory=dict)  # libvirt, host kernel, CPU, firmware


class Hypervisor(Protocol):
    """A connection that creates machines."""

    @property
    def uri(self) -> str:
        """The address."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Capabilities here, probed, not presumed, with the facets of all its machines."""
        ...

    def facet(self, facet: HypervisorFacet[F]) -> F:
        """The interface of a facet; raises NotApplicable where the connection lacks it."""
        ...

    def facts(self) -> HypervisorFacts:
        """Name, version and environment."""
        ...

    def define(self, definition: MachineDefinition) -> Machine:
        """Create a powered-off machine; replaces an existing one of that name."""
        ...

    def create_network(self, definition: NetworkDefinition) -> Network:
        """Create and start an isolated network."""
        ...

    def taken_subnets(self) -> Sequence[str]:
        """IPv4 networks (CIDR) in use on the host or by other networks."""
        ...

    def owned(self) -> Sequence[Owned]:
        """All resources with NAME_PREFIX, of any run."""
        ...

    def renew(self, owned: Owned) -> None:
        """Renew the lease on one of `owned()` (no error where it is gone).

        A resource that cannot be renewed has a lease of UNRENEWABLE_TERM.
        """
        ...

    def remove(self, owned: Owned) -> None:
        """Remove one of `owned()` (idempotent)."""
        ...

    def close(self) -> None:
        """Close the connection; machines are not affected."""
        ...
