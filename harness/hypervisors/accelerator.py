"""Chooses what executes the guests' instructions: KVM only where it is proved to work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.hypervisors.base import Accelerator
from harness.hypervisors.boot_proof import prove

DEVICE = Path("/dev/kvm")


@dataclass(frozen=True)
class AcceleratorChoice:
    """The accelerator and, in words, why it was chosen."""

    accelerator: Accelerator
    reason: str


def choose_accelerator(wanted: Accelerator | None, folder: Path) -> AcceleratorChoice:
    """What was asked for, else KVM where a tiny guest runs under it, else TCG.

    `folder` is where the tiny guest is built. Raises UsageError for KVM on a host without it.
    """
    if wanted is Accelerator.KVM and not DEVICE.exists():
        raise UsageError(f"there is no {DEVICE} on this host", remedy="--accelerator tcg")
    if wanted is not None:
        return AcceleratorChoice(wanted, "as asked for")
    if not DEVICE.exists():
        return AcceleratorChoice(Accelerator.TCG, f"there is no {DEVICE}")
    trouble = prove(Accelerator.KVM, folder)
    if trouble is None:
        return AcceleratorChoice(Accelerator.KVM, "a 64-bit guest was seen to run under KVM")
    return AcceleratorChoice(Accelerator.TCG, f"{DEVICE} is there, but {trouble}")
