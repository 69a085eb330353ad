"""Files and markers."""

from __future__ import annotations

from typing import Protocol

from harness.guests.answers import fields, flag, texts
from harness.guests.linux.shell import LinuxShell
from harness.guests.windows.powershell import WindowsShell

MARKS_ON_DISK = "/var/lib/guestcert-snapshots"

MARKS_IN_MEMORY = "/run/guestcert-snapshots"


ROOT_OPTIONS = """while read -r device place type options _; do
[ "$place" != / ] || [ "$type" = rootfs ] || found=$options; done </proc/mounts
[ -n "$found" ] && echo "$found"
"""
"""Of the last mount there; rootfs is the kernel's own beneath the root of old kernels."""


class Files(Protocol):
    """Files and markers."""

    def root_is_writable(self) -> bool:
        """Whether the root file system is writable."""

    def write(self, name: str, text: str) -> None:
        """Write a line into a file of that name, and sync it."""

    def content(self, name: str) -> str:
        """The file's content; the system's error message where the file does not exist."""

    def write_marker(self, name: str) -> None:
        """Leave a marker on the disk and another in memory."""

    def markers_on_disk(self) -> set[str]:
        """The names of the markers there."""

    def markers_in_memory(self) -> set[str]:
        """The names of the markers there."""


class LinuxFiles(LinuxShell):
    """See Files."""

    def root_is_writable(self) -> bool:
        """Whether the root file system is mounted for writing."""
        return "rw" in self.sh(ROOT_OPTIONS).strip().split(",")

    def write(self, name: str, text: str) -> None:
        """Write a line into a file in root's home, and sync it."""
        self.sh('echo "$2" > "/root/$1" && sync', name, text)

    def content(self, name: str) -> str:
        """The file's content; the error of `cat` where the file does not exist."""
        return self.sh('cat "/root/$1" 2>&1 || :', name)

    def write_marker(self, name: str) -> None:
        """Leave a file on the disk and another in a RAM file system."""
        script = 'for f in "$1" "$2"; do mkdir -p "$f"; touch "$f/$3"; done; sync'
        self.sh(script, MARKS_ON_DISK, MARKS_IN_MEMORY, name)

    def markers_on_disk(self) -> set[str]:
        """The names of the markers there."""
        return set(self.sh('ls "$1"', MARKS_ON_DISK).split())

    def markers_in_memory(self) -> set[str]:
        """The names of the markers there."""
        return set(self.sh('ls "$1"', MARKS_IN_MEMORY).split())


class WindowsFiles(WindowsShell):
    """See Files. They are in the folder `guestcert` of all users."""

    def root_is_writable(self) -> bool:
        """Whether a file can be written on the system volume."""
        return flag(self.ask("writable"), "state of its volume")

    def write(self, name: str, text: str) -> None:
        """Write a text into a file of that name, and sync it."""
        self.ask("write_file", name, text)

    def content(self, name: str) -> str:
        """The file's content; Windows' error message where the file does not exist."""
        answer = fields(self.ask("read_file", name), "file")
        return answer.text("failure") or answer.text("text")

    def write_marker(self, name: str) -> None:
        """Leave a file on the disk, and a value in a registry hive that is in memory only."""
        self.ask("markers", "leave", name)

    def markers_on_disk(self) -> set[str]:
        """The names of the markers there."""
        return set(texts(self.ask("markers", "disk"), "markers"))

    def markers_in_memory(self) -> set[str]:
        """The names of the markers there."""
        return set(texts(self.ask("markers", "memory"), "markers"))
