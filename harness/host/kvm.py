"""KVM's device on the host."""

from __future__ import annotations

from pathlib import Path

DEVICE = Path("/dev/kvm")
