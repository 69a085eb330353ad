"""Policy of a network card: the frames that a hypervisor lets it send and receive."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network


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

    mac_spoofing: bool = True  # it sends only from its own MAC address (QEMU: and IPv4 address)
    dhcp: bool = True  # its offers of leases are dropped
    router: bool = True  # its advertisements and redirections of routes are dropped


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
    """One card's whole policy; by default the guest can forge nothing.

    A hypervisor enforces each part of a definition's policy, or refuses the definition.
    """

    guards: Guards = field(default_factory=Guards)
    vlan: Vlan = field(default_factory=Vlan)
    acls: frozenset[PortAcl] = frozenset()
    isolated: bool = False  # exchanges no frames with other isolated cards of its network
