"""Why libvirt can not be reached, and what to try: by the address, and by the sockets of the host.

Source: libvirt's "Remote URIs" and "Daemons": the socket of the monolithic daemon, and of QEMU's.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SOCKETS = (Path("/run/libvirt/virtqemud-sock"), Path("/run/libvirt/libvirt-sock"))


def is_remote(uri: str) -> bool:
    """Whether an address names another host, or a program that leads anywhere."""
    parts = urlsplit(uri)
    return bool(parts.netloc) or parts.scheme.partition("+")[2] not in ("", "unix")


def connection_remedy(uri: str, sockets: Sequence[Path] = SOCKETS, user: int | None = None) -> str:
    """What to try where no connection to `uri` can be made, by `user` (an id; else our own)."""
    if is_remote(uri):
        return "look whether a libvirt listens there, or use this host's: qemu:///system"
    named = parse_qs(urlsplit(uri).query).get("socket")
    if named:
        return f"look whether {named[0]} is the socket of a libvirt that runs, or leave it out"
    if urlsplit(uri).path != "/system":
        return "use the system's libvirt: qemu:///system"
    there = next((socket for socket in sockets if socket.exists()), None)
    if there is None:
        return "start libvirt, as root: systemctl start libvirtd, or libvirtd --daemon"
    if (os.geteuid() if user is None else user) != 0:
        return f"join the group {_group(there)}: usermod -aG {_group(there)} USER, and log in again"
    return f"its socket {there} is there and nobody answers: systemctl restart libvirtd"


def _group(socket: Path) -> str:
    """The group that may speak to libvirt: the socket's, else that of libvirt's policy."""
    group = socket.group()
    return "libvirt" if group == "root" else group
