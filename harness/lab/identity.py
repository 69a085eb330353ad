"""Which machines of a run are one computer to their guest and to the network."""

from __future__ import annotations

import hashlib
from enum import IntEnum


class Identity(IntEnum):
    """What machines that are never up together share: an installed disk, and the MAC of their NIC.

    The first boot writes the network's configuration onto the disk, for the MAC that it saw.
    Machines of one network that are up together need one identity each: they would otherwise have
    one machine id, and one MAC. Each worker has its own networks, so that workers share them too.
    """

    INSTALLER = 0
    GUEST = 1
    NEIGHBOUR = 2
    CLONE = 3
    OTHER_CLONE = 4


def mac_address(run: str, identity: Identity) -> str:
    """The MAC address of an identity's NIC, in QEMU's own range."""
    digest = hashlib.sha256(run.encode()).hexdigest()
    return f"52:54:00:{digest[0:2]}:{digest[2:4]}:{identity:02x}"
