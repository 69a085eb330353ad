"""Definitions that libvirt does not support, which it would create without what they ask for."""

from __future__ import annotations

from harness.errors import HypervisorError
from harness.hypervisors.definitions import MachineDefinition
from harness.hypervisors.nic_policy import Vlan

ISOLATES_PORTS = 6_001_000
"""The first version of libvirt that isolates ports of a bridge: 6.1. Older ones ignore <port>."""


def refuse_unsupported(definition: MachineDefinition, version: int) -> None:
    """Raise HypervisorError for a definition that this version of libvirt does not support."""
    policies = [nic.policy for nic in definition.nics]
    unsupported = {
        # It does for Open vSwitch, and on Linux bridges in new versions only.
        "VLANs of a network card on a Linux bridge": any(p.vlan != Vlan() for p in policies),
        "ACLs of a network card": any(policy.acls for policy in policies),
        "isolated network cards before version 6.1": version < ISOLATES_PORTS
        and any(policy.isolated for policy in policies),
    }
    for what, requested in unsupported.items():
        if requested:
            raise HypervisorError(f"defining {definition.name}: libvirt does not support {what}")
