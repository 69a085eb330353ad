"""Accelerator choice: KVM only where a boot proof succeeds, else TCG."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.host.kvm import DEVICE
from harness.host.system import boot_id
from harness.hypervisors.boot_proof import EMULATOR, prove
from harness.hypervisors.definitions import Accelerator
from harness.image_store.files import replace_file
from harness.profiles.claims import HypervisorKind


@dataclass(frozen=True)
class AcceleratorChoice:
    """The accelerator, and the reason for the choice."""

    accelerator: Accelerator
    reason: str


def choose_accelerator(
    wanted: Accelerator | None, folder: Path, uri: str | None = None
) -> AcceleratorChoice:
    """The requested accelerator, else KVM if a tiny guest runs under it, else TCG.

    Hyper-V always uses its own. `folder` is where the tiny guest is built and where the result is
    cached until the host's next boot; `uri` is the hypervisor's. Raises UsageError for an
    accelerator that the hypervisor lacks.
    """
    on_hyperv = HypervisorKind.of(uri or "") is HypervisorKind.HYPERV
    if wanted is not None and (wanted is Accelerator.HYPERV) is not on_hyperv:
        raise UsageError(
            f"the hypervisor has no accelerator {wanted}", remedy="leave --accelerator out"
        )
    if on_hyperv:
        return AcceleratorChoice(Accelerator.HYPERV, "Hyper-V executes its guests by itself")
    if wanted is Accelerator.KVM and not DEVICE.exists():
        raise UsageError(f"this host has no {DEVICE}", remedy="--accelerator tcg")
    if wanted is not None:
        return AcceleratorChoice(wanted, "as requested")
    if not DEVICE.exists():
        return AcceleratorChoice(Accelerator.TCG, f"no {DEVICE}")
    trouble = _proved_once(folder)
    if trouble is None:
        return AcceleratorChoice(Accelerator.KVM, "a 64-bit guest ran under KVM")
    return AcceleratorChoice(Accelerator.TCG, f"{DEVICE} exists, but {trouble}")


def _proved_once(folder: Path) -> str | None:
    """The result of the proof, cached until the host reboots or QEMU changes."""
    emulator = shutil.which(EMULATOR)
    changed = Path(emulator).stat().st_mtime_ns if emulator else 0
    key = f"{boot_id()} {changed} {DEVICE.stat().st_ctime_ns}"
    file = folder / "accelerator.json"
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        if known["key"] == key:
            trouble: str | None = known["trouble"]
            return trouble
    except (OSError, ValueError, KeyError, TypeError):
        pass  # never proved, or half written: prove now
    trouble = prove(Accelerator.KVM, folder)
    replace_file(file, json.dumps({"key": key, "trouble": trouble}).encode())
    return trouble
