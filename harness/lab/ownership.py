"""Ownership: a process owns a run; resources that no living process owns may be removed."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from functools import cache
from pathlib import Path

from harness.host.system import boot_id
from harness.hypervisors.definitions import Ownership
from harness.hypervisors.leases import Lease, utc_now

INITIAL_PID_NAMESPACE = 0xEFFFFFFC
"""The inode of a host's initial PID namespace. Source: Linux, include/linux/proc_ns.h."""


def own(run: str) -> Ownership:
    """The ownership of resources that this process creates for `run`."""
    pid = os.getpid()
    started = process_started(pid)
    assert started is not None, "this very process is alive"
    return Ownership(run, host_id(), pid, started)


def is_stale(lease: Lease, now: datetime | None = None) -> bool:
    """Whether a lease is stale, so that its resource may be removed.

    For an owner in this host and PID namespace the process decides. For any other owner the
    lease's expiry decides; a living owner renews it.
    """
    if lease.owner.host == host_id() and not _is_hidden(lease.owner.pid):
        return process_started(lease.owner.pid) != lease.owner.pid_started
    return (now or utc_now()) > lease.expires


def process_started(pid: int) -> str | None:
    """Boot id and start tick of a process, unique to it; None if the process is gone.

    Source: proc(5), field 22 of /proc/PID/stat, counted after the command's closing parenthesis.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = boot_id()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    if fields[0] in ("Z", "X"):
        return None  # a zombie no longer owns anything
    return f"{boot}/{fields[19]}"


@cache
def host_id() -> str:
    """Host id: identifies this host and PID namespace, in which a process id is unique.

    Hosts cloned from one disk image share a machine id, but not the MAC addresses. The id of a host
    survives reboots; that of a container does not, as containers may share a machine id. The id
    stays the same for the life of this process, whatever is plugged in.
    """
    namespace = os.stat("/proc/self/ns/pid").st_ino
    machine = _machine_id()
    parts = [machine, str(namespace), *_card_addresses()]
    if namespace != INITIAL_PID_NAMESPACE or not machine:
        parts.append(boot_id())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _is_hidden(pid: int) -> bool:
    """Whether a process exists that /proc hides from this user (mount option hidepid)."""
    try:
        Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        try:
            os.kill(pid, 0)  # sends no signal
        except PermissionError:
            return True
        except OSError:
            return False
    return False


def _machine_id() -> str:
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _card_addresses() -> list[str]:
    """MAC addresses of the host's wired network cards; a wireless card may change its MAC."""
    found = []
    for card in Path("/sys/class/net").glob("*"):
        if (card / "device").exists() and not (card / "phy80211").exists():
            try:
                found.append((card / "address").read_text(encoding="ascii").strip())
            except OSError:
                continue  # just unplugged
    return sorted(found)
