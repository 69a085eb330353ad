"""Chooses what executes the guests' instructions: KVM only where it is proved to work."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.hypervisors.boot_proof import EMULATOR, prove
from harness.hypervisors.definitions import Accelerator
from harness.image_store.files import replace_file
from harness.profiles.claims import HypervisorKind

DEVICE = Path("/dev/kvm")


@dataclass(frozen=True)
class AcceleratorChoice:
    """The accelerator and, in words, why it was chosen."""

    accelerator: Accelerator
    reason: str


def choose_accelerator(
    wanted: Accelerator | None, folder: Path, uri: str | None = None
) -> AcceleratorChoice:
    """What was asked for, else KVM where a tiny guest runs under it, else TCG; Hyper-V has its own.

    `folder` is where the tiny guest is built, and where its answer is kept until the host's next
    boot; `uri` is the hypervisor's. Raises UsageError for what there is not on that hypervisor.
    """
    on_hyperv = HypervisorKind.of(uri or "") is HypervisorKind.HYPERV
    if wanted is not None and (wanted is Accelerator.HYPERV) is not on_hyperv:
        raise UsageError(
            f"the hypervisor has no accelerator {wanted}", remedy="leave --accelerator out"
        )
    if on_hyperv:
        return AcceleratorChoice(Accelerator.HYPERV, "Hyper-V executes its guests by itself")
    if wanted is Accelerator.KVM and not DEVICE.exists():
        raise UsageError(f"there is no {DEVICE} on this host", remedy="--accelerator tcg")
    if wanted is not None:
        return AcceleratorChoice(wanted, "as asked for")
    if not DEVICE.exists():
        return AcceleratorChoice(Accelerator.TCG, f"there is no {DEVICE}")
    trouble = _proved_once(folder)
    if trouble is None:
        return AcceleratorChoice(Accelerator.KVM, "a 64-bit guest was seen to run under KVM")
    return AcceleratorChoice(Accelerator.TCG, f"{DEVICE} is there, but {trouble}")


def _proved_once(folder: Path) -> str | None:
    """What the proof said, remembered as long as neither the host's boot nor QEMU changes."""
    emulator = shutil.which(EMULATOR)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    changed = Path(emulator).stat().st_mtime_ns if emulator else 0
    key = f"{boot} {changed} {DEVICE.stat().st_ctime_ns}"
    file = folder / "accelerator.json"
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        if known["key"] == key:
            trouble: str | None = known["trouble"]
            return trouble
    except (OSError, ValueError, KeyError, TypeError):
        pass  # never asked, or half written: ask now
    trouble = prove(Accelerator.KVM, folder)
    replace_file(file, json.dumps({"key": key, "trouble": trouble}).encode())
    return trouble
