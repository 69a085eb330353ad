"""Carries a program of ours into a guest, which needs nothing but Python to run it."""

from __future__ import annotations

import base64
from pathlib import Path

from harness.errors import HarnessError
from harness.guests.guest import Guest


def carry(guest: Guest, program: Path, target: str) -> None:
    """Put a Python program at `target` in the guest.

    Raises HarnessError where the guest can not run it: that is no verdict on the guest.
    """
    data = base64.b64encode(program.read_bytes()).decode()
    guest.os.sh('echo "$1" | base64 -d > "$2"', data, target)
    if not guest.os.succeeds("python3", "-c", "import socket"):
        raise HarnessError(
            f"{guest.name} has no Python to run {program.name} with",
            remedy="add python3 to its recipe; cloud-init brings it along",
        )
