"""What the hypervisor's switch lets one network card of a machine send and receive."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol, runtime_checkable

from harness.hypervisors.base import Machine


class VlanMode(StrEnum):
    """How a card's frames are tagged."""

    UNTAGGED = "untagged"  # in no VLAN
    ACCESS = "access"  # in one VLAN; the guest sees no tag
    TRUNK = "trunk"  # in several; the guest tags by itself


@dataclass(frozen=True)
class Vlan:
    """A card's VLANs, by numbers from 1 to 4094; `native` is 0 where untagged frames have none."""

    mode: VlanMode = VlanMode.UNTAGGED
    access: int = 0  # of ACCESS alone
    native: int = 0  # of TRUNK alone, as is `allowed`
    allowed: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Guards:
    """What a guest is kept from: each is on where True."""

    mac_spoofing: bool  # it sends under its own MAC address alone
    dhcp: bool  # its offers of leases are dropped
    router: bool  # its advertisements and redirections of routes are dropped


class AclAction(StrEnum):
    """What happens to the traffic that an ACL is about."""

    ALLOW = "allow"
    DENY = "deny"


class AclDirection(StrEnum):
    """As the guest sees it."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


@dataclass(frozen=True)
class PortAcl:
    """A rule about traffic with a remote network; the longest prefix that fits decides."""

    action: AclAction
    direction: AclDirection
    remote: IPv4Network | IPv6Network


@dataclass(frozen=True)
class NicPolicy:
    """All of one card's policy, as the host tells it."""

    vlan: Vlan
    guards: Guards
    acls: frozenset[PortAcl]


class NetworkPolicy(Protocol):
    """The policy of a machine's cards, each named by its MAC address; running or not.

    Every method raises HypervisorError, also where the machine has no such card.
    """

    def read(self, mac: str) -> NicPolicy:
        """What holds now."""
        ...

    def set_vlan(self, mac: str, vlan: Vlan) -> None:
        """Put a card into other VLANs."""
        ...

    def set_guards(self, mac: str, guards: Guards) -> None:
        """Switch all guards of a card."""
        ...

    def add_acl(self, mac: str, acl: PortAcl) -> None:
        """Give a card a rule; no error where it has it."""
        ...

    def remove_acl(self, mac: str, acl: PortAcl) -> None:
        """Take a rule from a card; no error where it has it not."""
        ...


@runtime_checkable
class HasNetworkPolicy(Protocol):
    """A machine whose hypervisor has a policy for each network card."""

    @property
    def network_policy(self) -> NetworkPolicy:
        """The policy of its cards."""
        ...


def network_policy_of(machine: Machine) -> NetworkPolicy | None:
    """The policy of a machine's network cards; None where the hypervisor has none."""
    return machine.network_policy if isinstance(machine, HasNetworkPolicy) else None
