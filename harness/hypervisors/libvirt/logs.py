"""The files that libvirt's log daemon (virtlogd) writes for a machine."""

from __future__ import annotations

import glob
from contextlib import suppress
from pathlib import Path

import libvirt


def qemu_log(connection: libvirt.virConnect, name: str) -> Path:
    """The log of a machine's QEMU."""
    return _folder(connection) / f"{name}.log"


def console_copy(connection: libvirt.virConnect, name: str) -> Path:
    """The copy of a machine's console output.

    It stands beside QEMU's log, where the daemon may write whatever confines it (SELinux).
    """
    return _folder(connection) / f"{name}-console.log"


def remove_console_copy(connection: libvirt.virConnect, name: str) -> None:
    """Remove the copy and the older parts of a flood, as far as this process may."""
    copy = console_copy(connection, name)
    with suppress(OSError):
        for file in copy.parent.glob(f"{glob.escape(copy.name)}*"):
            file.unlink()


def _folder(connection: libvirt.virConnect) -> Path:
    if connection.getURI().endswith("/system"):
        return Path("/var/log/libvirt/qemu")
    return Path("~/.cache/libvirt/qemu/log").expanduser()
