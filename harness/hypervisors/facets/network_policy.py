"""Network policy: reading and changing the policy of a machine's network cards."""

from __future__ import annotations

from typing import Protocol

from harness.hypervisors.capabilities import MachineFacet
from harness.hypervisors.nic_policy import Guards, NicPolicy, PortAcl, Vlan


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
