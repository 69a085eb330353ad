"""UEFI builds on this host, found through QEMU's firmware descriptors.

Source: docs/interop/firmware.json of QEMU. Descriptors of a higher folder or number come later.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from harness.profiles.hardware import Firmware

FOLDERS = (Path("/usr/share/qemu/firmware"), Path("/etc/qemu/firmware"))


@dataclass(frozen=True)
class FirmwareBuild:
    """A firmware's code and the template of its variables, both read-only."""

    code: Path
    variables: Path
    needs_smm: bool
    format: str


def find_firmware(kind: Firmware, folders: tuple[Path, ...] = FOLDERS) -> FirmwareBuild | None:
    """The first UEFI build, with or without enforced Secure Boot, by `kind`; else None."""
    for folder in folders:
        for file in sorted(folder.glob("*.json")):
            build = _serving(file, kind)
            if build is not None:
                return build
    return None


def _serving(file: Path, kind: Firmware) -> FirmwareBuild | None:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        features = set(document["features"])
        mapping = document["mapping"]
        executable, template = mapping["executable"], mapping["nvram-template"]
    except (OSError, ValueError, KeyError):
        return None  # a descriptor of another kind (a memory or kernel firmware)
    machines = [m for target in document["targets"] for m in target["machines"]]
    if "uefi" not in document["interface-types"] or not any("q35" in m for m in machines):
        return None
    enforced = {"secure-boot", "enrolled-keys"} <= features
    wanted = enforced if kind is Firmware.SECURE_BOOT else not features & {"enrolled-keys"}
    code, variables = Path(executable["filename"]), Path(template["filename"])
    if not wanted or not code.exists():
        return None
    if "requires-smm" in features and kind is not Firmware.SECURE_BOOT:
        return None
    return FirmwareBuild(code, variables, "requires-smm" in features, executable["format"])
