"""Whose things are: a run is owned by a process, and what a dead process owned may be removed."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.hypervisors.definitions import Ownership

LIFETIME = timedelta(hours=24)
"""After this long a run's things count as left behind, whatever its process does."""


def own(run: str) -> Ownership:
    """The ownership of things that this process makes for `run`."""
    pid = os.getpid()
    started = process_started(pid)
    assert started is not None, "this very process is alive"
    return Ownership(run, pid, started, datetime.now(UTC) + LIFETIME)


def is_alive(owner: Ownership) -> bool:
    """Whether the owning process still runs and its time is not over."""
    if datetime.now(UTC) > owner.expires:
        return False
    return process_started(owner.pid) == owner.pid_started


def process_started(pid: int) -> str | None:
    """Boot id and start tick of a process, which no later process shares; None where it is gone.

    Source: proc(5), field 22 of /proc/PID/stat, counted after the command's closing bracket.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    if fields[0] in ("Z", "X"):
        return None  # a zombie owns nothing any more
    return f"{boot}/{fields[19]}"
