"""The seed medium of a slot: the first boot of a base image takes its name and user from it."""

from __future__ import annotations

import hashlib

from harness.lab.machine_slot import Blueprint, MachineSlot
from harness.profiles.model import System
from harness.provisioning.passwords import hash_password
from harness.provisioning.seed import SeedContent, write_seed

DEFAULT_TIMEOUT = 90
"""Seconds: systemd's default for starting a unit (systemd-system.conf(5))."""


def seed(slot: MachineSlot) -> None:
    """Write the seed medium; it is unique to the slot's name."""
    credentials = slot.blueprint.credentials
    digest = hashlib.sha256(slot.name.encode()).hexdigest()
    content = SeedContent(
        profile=slot.blueprint.profile,
        instance_id=digest[:16],
        host_name=f"guest-{digest[:8]}",
        user=credentials.user,
        password_hash=hash_password(credentials.password),
        unit_timeout=_unit_timeout(slot.blueprint),
    )
    slot.folder.mkdir(parents=True, exist_ok=True)
    write_seed(content, slot.seed)


def _unit_timeout(blueprint: Blueprint) -> int | None:
    """The timeout of an emulated Linux guest, scaled as its budgets are; None: unchanged."""
    scale = blueprint.accelerator.time_scale
    emulated = blueprint.profile.system is System.LINUX and scale > 1
    return round(DEFAULT_TIMEOUT * scale) if emulated else None
