"""Snapshots and saved states."""

from __future__ import annotations

from harness.hypervisors.capabilities import Capability

SNAPSHOTS = Capability("snapshot")
"""Snapshots of memory and disks, in a chain."""

PRODUCTION_SNAPSHOTS = Capability("production-checkpoint")
"""Snapshots of disks that the guest has quiesced."""

SAVED_STATES = Capability("save-restore")
