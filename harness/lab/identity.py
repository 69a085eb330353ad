"""Machine identities: which machines of a run share a disk and a MAC address."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import IntEnum


class Identity(IntEnum):
    """An identity: a provisioned disk and a MAC address, shared by machines never up together.

    The first boot writes the network configuration for its MAC onto the disk. Machines that run at
    the same time need different identities, else they share a machine id and a MAC. Workers share
    identities, as each worker has its own networks.
    """

    INSTALLER = 0
    GUEST_A = 1
    GUEST_B = 2
    CLONE_A = 3
    CLONE_B = 4
    GUEST_C = 5
    GUEST_D = 6

    @property
    def role(self) -> str:
        """Its part of the names of machines and folders: guest-a, clone-b."""
        return self.name.lower().replace("_", "-")


GUESTS: Mapping[str, Identity] = {
    "a": Identity.GUEST_A,
    "b": Identity.GUEST_B,
    "c": Identity.GUEST_C,
    "d": Identity.GUEST_D,
}
"""The identities of ready guests that may be up together, by the actors' names."""

CLONES: Mapping[str, Identity] = {"a": Identity.CLONE_A, "b": Identity.CLONE_B}
"""The identities of clones of a base image, by the actors' names."""


def mac_address(run: str, identity: Identity) -> str:
    """The MAC address of an identity's NIC, in QEMU's range."""
    digest = hashlib.sha256(run.encode()).hexdigest()
    return f"52:54:00:{digest[0:2]}:{digest[2:4]}:{identity:02x}"
