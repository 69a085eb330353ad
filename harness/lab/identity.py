"""Machine identities: which machines of a run share a disk and a MAC address."""

from __future__ import annotations

import hashlib
from enum import IntEnum


class Identity(IntEnum):
    """An identity: a provisioned disk and a MAC address, shared by machines never up together.

    The first boot writes the network configuration for its MAC onto the disk. Machines that run at
    the same time on one network need different identities, else they share a machine id and a MAC.
    Workers share identities, as each worker has its own networks.
    """

    INSTALLER = 0
    GUEST = 1
    NEIGHBOUR = 2
    CLONE = 3
    OTHER_CLONE = 4


def mac_address(run: str, identity: Identity) -> str:
    """The MAC address of an identity's NIC, in QEMU's range."""
    digest = hashlib.sha256(run.encode()).hexdigest()
    return f"52:54:00:{digest[0:2]}:{digest[2:4]}:{identity:02x}"
