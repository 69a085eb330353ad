"""Gives a slot the medium from which a base image's first boot takes its name and its user."""

from __future__ import annotations

import hashlib

from harness.lab.machine_slot import Blueprint, MachineSlot
from harness.profiles.model import System
from harness.provisioning.passwords import hash_password
from harness.provisioning.seed import SeedContent, write_seed

PATIENCE = 90
"""Seconds that systemd waits by itself (systemd-system.conf(5))."""


def seed(slot: MachineSlot) -> None:
    """Write the medium; every slot's is another, by its name."""
    credentials = slot.blueprint.credentials
    digest = hashlib.sha256(slot.name.encode()).hexdigest()
    content = SeedContent(
        profile=slot.blueprint.profile,
        instance_id=digest[:16],
        host_name=f"guest-{digest[:8]}",
        user=credentials.user,
        password_hash=hash_password(credentials.password),
        patience=_patience(slot.blueprint),
    )
    slot.folder.mkdir(parents=True, exist_ok=True)
    write_seed(content, slot.seed)


def _patience(blueprint: Blueprint) -> int | None:
    """An emulated guest's own timeouts are stretched as its budgets are; no other's is touched."""
    scale = blueprint.accelerator.time_scale
    emulated = blueprint.profile.system is System.LINUX and scale > 1
    return round(PATIENCE * scale) if emulated else None
