"""Power: requests to the guest, sleep, and the non-maskable interrupt."""

from __future__ import annotations

from harness.hypervisors.capabilities import Capability

POWER_BUTTON = Capability("power-button")
"""ACPI asks the guest to shut down or reboot."""

SLEEP = Capability("sleep")
"""Machines can sleep (S3, S4) and wake up."""

NMI = Capability("nmi")
