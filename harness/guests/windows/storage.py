"""What is written in a Windows guest, and what is there afterwards."""

from __future__ import annotations

from harness.errors import ChannelError
from harness.guests.answers import fields, flag, number, texts
from harness.guests.windows.powershell import WindowsShell

POWER = r"HKLM:\SYSTEM\CurrentControlSet\Control\Power"


class WindowsStorage(WindowsShell):
    """See harness.guests.os.Storage. Files of ours are in the folder `guestcert` of all users."""

    def root_is_writable(self) -> bool:
        """Whether a file can be written on the system volume."""
        return flag(self.ask("writable"), "state of its volume")

    def write_file(self, name: str, text: str) -> None:
        """Write a text into a file of that name, down to the disk."""
        self.ask("write_file", name, text)

    def read_file(self, name: str) -> str:
        """What is in it; what Windows says instead where it is not there."""
        told = fields(self.ask("read_file", name), "file")
        return told.text("failure") or told.text("text")

    def start_recording(self) -> None:
        """Begin to write numbered records, and to say `kept N.` on the console once N is synced."""
        self.start("recording")

    def records(self) -> list[str]:
        """The records that are there: `record 1`, `record 2`, ..."""
        told = fields(self.ask("read_file", "records"), "file")
        if told.text("failure"):
            raise ChannelError(f"the guest can not read its records: {told.text('failure')}")
        return told.long_text("text").splitlines()

    def write_marker(self, name: str) -> None:
        """Leave a file on the disk, and a value in the part of the registry that memory holds."""
        self.ask("markers", "leave", name)

    def markers_on_disk(self) -> set[str]:
        """The names of the marks that are there."""
        return set(texts(self.ask("markers", "disk"), "markers"))

    def markers_in_memory(self) -> set[str]:
        """The names of the marks that are there."""
        return set(texts(self.ask("markers", "memory"), "markers"))

    def fill_file(self, mark: str) -> int:
        """Fill a file with the mark, down to the disk; returns its first sector on the disk.

        Needs Windows 8 or Server 2012.
        """
        return number(self.ask("raw_disk", "fill", mark, seconds=120), "sector")

    def has_marker_file(self) -> bool:
        """Whether the file that `fill` makes is there."""
        return flag(self.ask("raw_disk", "there"), "file")

    def disk_holds(self, mark: str, *, start: int, mebibytes: int) -> bool:
        """Whether the mark is on the raw disk that Windows runs from, from byte `start` on."""
        where = (str(start), str(mebibytes * 2**20))
        return flag(self.ask("raw_disk", "find", mark, *where, seconds=120), "find")

    def bytes_not_zero(self, disk: str, mebibytes: int) -> int:
        """How many bytes of the raw disk's first MiB are not zero; `disk` is the guest's name."""
        said = self.ask("raw_disk", "count", disk, str(mebibytes * 2**20), seconds=60)
        return number(said, "count")

    def prepare_hibernation(self, serial: str) -> None:
        """Have Windows keep a file to sleep to: it sleeps to its own disk, and needs no other."""
        self.ask("hibernation")

    def enable_hibernation(self, serial: str) -> bool:
        """Whether Windows keeps that file."""
        return self.ask("registry", POWER, "HibernateEnabled") == 1
