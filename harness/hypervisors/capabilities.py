"""Capabilities of a hypervisor: tokens that a case requires, and that a driver probes.

A facet is a capability with an interface. Its token carries the interface's type, since a Protocol
class cannot be passed as type[F]:

    SNAPSHOTS = MachineFacet[Snapshots]("snapshot")

    @requires(SNAPSHOTS)
    def test_x(guest: Guest) -> None:
        guest.machine.facet(SNAPSHOTS).take("first")
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from harness.errors import NotApplicable

F = TypeVar("F")
Owner = TypeVar("Owner")


@dataclass(frozen=True)
class Capability:
    """A capability, by its name in reports; a case declares those that it needs."""

    name: str

    def __str__(self) -> str:
        return self.name


class Facet(Capability, Generic[F]):
    """A capability with an interface of type F."""


class MachineFacet(Facet[F]):
    """A facet of machines."""


class NetworkFacet(Facet[F]):
    """A facet of networks."""


class HypervisorFacet(Facet[F]):
    """A facet of a connection."""


@dataclass(frozen=True)
class Binding(Generic[Owner]):
    """A driver's implementation of a facet; made by `bind`, which checks the types."""

    facet: Facet[Any]
    create: Callable[[Owner], Any]


def bind(facet: Facet[F], create: Callable[[Owner], F]) -> Binding[Owner]:
    """Bind a facet to its implementation, which is created from the facet's owner."""
    return Binding(facet, create)


class Facets(Generic[Owner]):
    """The facets of one machine, network or connection, each created at its first use."""

    def __init__(self, owner: Owner, bindings: Collection[Binding[Owner]]) -> None:
        self._owner = owner
        self._creators = {binding.facet: binding.create for binding in bindings}
        self._created: dict[Facet[Any], Any] = {}

    @property
    def tokens(self) -> frozenset[Facet[Any]]:
        """The tokens of all facets."""
        return frozenset(self._creators)

    def get(self, facet: Facet[F]) -> F:
        """The implementation of a facet, always the same; raises NotApplicable without one."""
        if facet not in self._creators:
            raise NotApplicable(f"the hypervisor lacks {facet}")
        if facet not in self._created:
            self._created[facet] = self._creators[facet](self._owner)
        implementation: F = self._created[facet]
        return implementation


RUN = Capability("run")
"""Machines execute guest code (those of libvirt's test driver do not)."""

UEFI = Capability("uefi")
SECURE_BOOT = Capability("secure-boot")
TPM = Capability("tpm")
WATCHDOG = Capability("watchdog")

NETWORK = Capability("network")
"""guestcert can create isolated networks."""

QEMU_DEVICES = Capability("qemu-devices")
"""Device ids, serials and strings are QEMU's, as defined."""

NVME = Capability("nvme")
"""Disks can be on NVM Express controllers."""

GENERATION_ID = Capability("generation-id")
"""The hypervisor shows a guest that it is a copy."""

REMOTE_DISKS = Capability("remote-disks")
"""A guest's writes stay on the hypervisor's host."""
