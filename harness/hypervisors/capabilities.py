"""Capabilities of a hypervisor: tokens that a case requires, and that a driver probes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Capability:
    """A capability, by its name in reports; a case declares those that it needs."""

    name: str

    def __str__(self) -> str:
        return self.name


RUN = Capability("run")
"""Machines execute guest code (those of libvirt's test driver do not)."""

UEFI = Capability("uefi")
SECURE_BOOT = Capability("secure-boot")
TPM = Capability("tpm")
WATCHDOG = Capability("watchdog")

PAUSE = Capability("pause")
RESET = Capability("reset")

NETWORK = Capability("network")
"""guestcert can create isolated networks."""

QEMU_DEVICES = Capability("qemu-devices")
"""Device ids, serials and strings are QEMU's, as defined."""

NVME = Capability("nvme")
"""Disks can be on NVM Express controllers."""

UEFI_SNAPSHOT = Capability("uefi-snapshot")
"""Snapshots also of machines with UEFI variables."""

GENERATION_ID = Capability("generation-id")
"""The hypervisor shows a guest that it is a copy."""

REMOTE_DISKS = Capability("remote-disks")
"""A guest's writes stay on the hypervisor's host."""
