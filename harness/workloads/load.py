"""Load: all processors and the disk busy."""

from __future__ import annotations

from harness.guests.guest import Guest
from harness.workloads.program import RunningProgram, carry


def start_load(guest: Guest) -> RunningProgram:
    """Keep all processors and the disk of a guest busy."""
    return carry(guest, "load").start()
