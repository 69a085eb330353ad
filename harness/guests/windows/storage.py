"""Files, raw disks and hibernation of a Windows guest."""

from __future__ import annotations

from harness.guests.answers import fields, flag, number, texts
from harness.guests.windows.powershell import WindowsShell

POWER = r"HKLM:\SYSTEM\CurrentControlSet\Control\Power"


class WindowsStorage(WindowsShell):
    """See harness.guests.os.Storage. Its files are in the folder `guestcert` of all users."""

    def root_is_writable(self) -> bool:
        """Whether a file can be written on the system volume."""
        return flag(self.ask("writable"), "state of its volume")

    def write_file(self, name: str, text: str) -> None:
        """Write a text into a file of that name, and sync it."""
        self.ask("write_file", name, text)

    def read_file(self, name: str) -> str:
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

    def fill_file(self, mark: str) -> int:
        """Fill a file with the mark and sync it; returns its first sector on the disk.

        Needs Windows 8 or Server 2012.
        """
        return number(self.ask("raw_disk", "fill", mark, seconds=120), "sector")

    def has_marker_file(self) -> bool:
        """Whether the file that `fill_file` makes exists."""
        return flag(self.ask("raw_disk", "there"), "file")

    def disk_holds(self, mark: str, *, start: int, mebibytes: int) -> bool:
        """Whether the raw disk that Windows runs from contains the mark, from byte `start` on."""
        where = (str(start), str(mebibytes * 2**20))
        return flag(self.ask("raw_disk", "find", mark, *where, seconds=120), "find")

    def bytes_not_zero(self, disk: str, mebibytes: int) -> int:
        """Non-zero bytes in the first `mebibytes` MiB of the raw disk of this name."""
        counted = self.ask("raw_disk", "count", disk, str(mebibytes * 2**20), seconds=60)
        return number(counted, "count")

    def prepare_hibernation(self, serial: str) -> None:
        """Enable Windows' hibernation file: it hibernates to its own disk, and needs no other."""
        self.ask("hibernation")

    def enable_hibernation(self, serial: str) -> bool:
        """Whether Windows has that file."""
        return self.ask("registry", POWER, "HibernateEnabled") == 1
