"""Network policy: what the hypervisor's switch lets a network card send and receive."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol

from harness.hypervisors.capabilities import MachineFacet


class VlanMode(StrEnum):
    """VLAN tagging of a card's frames."""

    UNTAGGED = "untagged"  # in no VLAN
    ACCESS = "access"  # in one VLAN; the guest sees no tag
    TRUNK = "trunk"  # in several; the guest tags its frames


@dataclass(frozen=True)
class Vlan:
    """A card's VLANs, numbered from 1 to 4094; `native` 0 means none for untagged frames."""

    mode: VlanMode = VlanMode.UNTAGGED
    access: int = 0  # only for ACCESS
    native: int = 0  # only for TRUNK, as is `allowed`
    allowed: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Guards:
    """Guards against a guest's forgeries; each is on where True."""

    mac_spoofing: bool  # the guest sends only from its own MAC address
    dhcp: bool  # its offers of leases are dropped
    router: bool  # its advertisements and redirections of routes are dropped


class AclAction(StrEnum):
    """What an ACL does with matching traffic."""

    ALLOW = "allow"
    DENY = "deny"


class AclDirection(StrEnum):
    """Direction as the guest sees it."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


@dataclass(frozen=True)
class PortAcl:
    """A rule for traffic with a remote network; the longest matching prefix decides."""

    action: AclAction
    direction: AclDirection
    remote: IPv4Network | IPv6Network


@dataclass(frozen=True)
class NicPolicy:
    """One card's whole policy, as the host reports it."""

    vlan: Vlan
    guards: Guards
    acls: frozenset[PortAcl]


class NetworkPolicy(Protocol):
    """Policy of a machine's cards, each named by its MAC address, whether the machine runs or not.

    Every method raises HypervisorError, also where the machine has no such card.
    """

    def read(self, mac: str) -> NicPolicy:
        """The current policy of a card."""
        ...

    def set_vlan(self, mac: str, vlan: Vlan) -> None:
        """Replace a card's VLANs."""
        ...

    def set_guards(self, mac: str, guards: Guards) -> None:
        """Set all guards of a card."""
        ...

    def add_acl(self, mac: str, acl: PortAcl) -> None:
        """Add a rule to a card (idempotent)."""
        ...

    def remove_acl(self, mac: str, acl: PortAcl) -> None:
        """Remove a rule from a card (idempotent)."""
        ...


NETWORK_POLICY = MachineFacet[NetworkPolicy]("network-policy")
