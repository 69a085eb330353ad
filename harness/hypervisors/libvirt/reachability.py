"""Remedies for an unreachable libvirt, by its address and the host's sockets.

Source: libvirt's "Remote URIs" and "Daemons": sockets of the monolithic daemon and of QEMU's.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SOCKETS = (Path("/run/libvirt/virtqemud-sock"), Path("/run/libvirt/libvirt-sock"))


def is_remote(uri: str) -> bool:
    """Whether an address names another host, or a program as transport."""
    parts = urlsplit(uri)
    return bool(parts.netloc) or parts.scheme.partition("+")[2] not in ("", "unix")


def connection_remedy(uri: str, sockets: Sequence[Path] = SOCKETS, user: int | None = None) -> str:
    """The remedy where `user` (a user id; default: this process's) cannot connect to `uri`."""
    if is_remote(uri):
        return "check that a libvirt listens there, or use this host's: qemu:///system"
    named = parse_qs(urlsplit(uri).query).get("socket")
    if named:
        return f"check that {named[0]} is the socket of a running libvirt, or leave it out"
    if urlsplit(uri).path != "/system":
        return "use the system's libvirt: qemu:///system"
    there = next((socket for socket in sockets if socket.exists()), None)
    if there is None:
        return "start libvirt, as root: systemctl start libvirtd, or libvirtd --daemon"
    if (os.geteuid() if user is None else user) != 0:
        return f"join the group {_group(there)}: usermod -aG {_group(there)} USER, and log in again"
    return f"its socket {there} exists, but nothing answers: systemctl restart libvirtd"


def _group(socket: Path) -> str:
    """The group that may use libvirt: the socket's, else that of libvirt's policy."""
    group = socket.group()
    return "libvirt" if group == "root" else group
