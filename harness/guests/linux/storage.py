"""Files, raw disks and hibernation of a Linux guest."""

from __future__ import annotations

from harness.errors import ChannelError, NotApplicable
from harness.guests.answers import whole_number
from harness.guests.linux.firmware import LinuxFirmware
from harness.guests.linux.placement import LinuxPlacement

MARKS_ON_DISK = "/var/lib/guestcert-snapshots"
MARKS_IN_MEMORY = "/run/guestcert-snapshots"

MARKED = "/root/mark"

FILL = """rm -f "$2"; : > "$2"; chattr +C "$2" 2>/dev/null
yes "$1" | head -c 8388608 > "$2" && sync && echo 3 > /proc/sys/vm/drop_caches"""
"""Btrfs may compress data, but not that of a file without copy-on-write."""

SCAN = """echo 3 > /proc/sys/vm/drop_caches
dd if="/dev/$1" bs=1M iflag=skip_bytes skip="$2" count="$3" status=none | grep -acF "$4" || :"""

NOT_ZERO = """dd if="/dev/$1" bs=1M count="$2" status=none | tr -d "\\0" | wc -c"""


class LinuxStorage(LinuxPlacement, LinuxFirmware):
    """See harness.guests.os.Storage."""

    def root_is_writable(self) -> bool:
        """Whether the root file system is mounted for writing."""
        return "rw" in self.sh("findmnt -no OPTIONS /").strip().split(",")

    def write_file(self, name: str, text: str) -> None:
        """Write a line into a file in root's home, and sync it."""
        self.sh('echo "$2" > "/root/$1" && sync', name, text)

    def read_file(self, name: str) -> str:
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

    def fill_file(self, mark: str) -> int:
        """Fill a file with the mark and sync it; returns its first sector on the disk."""
        self.sh(FILL, mark, MARKED, seconds=60)
        return self.first_sector(MARKED)

    def has_marker_file(self) -> bool:
        """Whether the file that `fill_file` makes exists."""
        return self.succeeds("test", "-e", MARKED)

    def disk_holds(self, mark: str, *, start: int, mebibytes: int) -> bool:
        """Whether the raw root disk contains the mark, from byte `start` on."""
        where = (self.root_device(), str(start), str(mebibytes))
        return whole_number(self.sh(SCAN, *where, mark, seconds=60), "count of marks") > 0

    def bytes_not_zero(self, disk: str, mebibytes: int) -> int:
        """Non-zero bytes in the first `mebibytes` MiB of the raw disk of this name."""
        counted = self.sh(NOT_ZERO, disk, str(mebibytes), seconds=60)
        return whole_number(counted, "count of bytes")

    def prepare_hibernation(self, serial: str) -> None:
        """Make the disk with that serial swap space, from which the next kernel tries to resume.

        Raises NotApplicable for a kernel that does not hibernate, such as many for clouds.
        """
        if "disk" not in self.read("/sys/power/state").split():
            raise NotApplicable("the guest's kernel does not hibernate")
        device = self._device(serial)
        self.add_boot_argument(_resume(device))
        self.sh('mkswap "$1"', device)

    def enable_hibernation(self, serial: str) -> bool:
        """Swap to that disk; returns whether the kernel was started to resume from it."""
        device = self._device(serial)
        if not self.has_boot_argument(_resume(device)):
            return False
        self.sh('swapon "$1"', device)
        return True

    def _device(self, serial: str) -> str:
        names = [disk.name for disk in self.disks() if disk.serial == serial]
        if len(names) != 1:
            raise ChannelError(f"the guest lists {len(names)} disks with serial number {serial}")
        return f"/dev/{names[0]}"


def _resume(device: str) -> str:
    return f"resume={device}"
