"""Disks, and the bytes on them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from harness.errors import ChannelError, NotApplicable
from harness.guests.answers import (
    Fields,
    entries,
    flag,
    number,
    rows,
    whole_number,
)
from harness.guests.linux.shell import LinuxShell
from harness.guests.windows.drivers import linux_name
from harness.guests.windows.powershell import WindowsShell


@dataclass(frozen=True)
class GuestDisk:
    """A disk as the guest sees it."""

    name: str
    serial: str
    size: int  # bytes
    driver: str


ROOT_DISK = """p=$(findmnt -no SOURCE /); n=$(basename "$(readlink -f "${p%%\\[*}")")
while below=$(ls "/sys/class/block/$n/slaves" 2>/dev/null | head -n1); [ -n "$below" ]; do
n=$below; done
d=$(readlink -f "/sys/class/block/$n"); [ ! -e "$d/partition" ] || d=$(dirname "$d")
basename "$d"
"""
"""Btrfs' source is followed by the subvolume in brackets."""

SECTOR = 512

DEVICE_SECTORS = {"ext2", "ext3", "ext4", "xfs"}
"""File systems whose extents are counted in sectors of the device that they are on."""

ONE_COPY = {"single", "DUP"}
"""Btrfs' profiles that keep a chunk in one piece, on one device."""

MOST_LAYERS = 8
"""Devices above one another, from a file system down to its disk."""

ROOT = 'findmnt -no FSTYPE,SOURCE / | { read -r type source; echo "$type|${source%%\\[*}"; }'
"""Btrfs' source is followed by the subvolume in brackets."""

FIRST_EXTENT = """filefrag -b512 -v "$1" | awk '$1 == "0:" {print $4}'"""

CHUNKS = 'btrfs inspect-internal dump-tree -t chunk "$1"'

CHUNK = re.compile(
    r"CHUNK_ITEM ([0-9]{1,20})\) .{0,80}\n"
    r"\s{0,9}length ([0-9]{1,20}) .{0,80} type [A-Z|]{1,40}\|(\w{1,9})\n"
    r"(?:.{0,200}\n){1,3}?"
    r"\s{0,9}stripe 0 devid [0-9]{1,9} offset ([0-9]{1,20})\n"
)
"""A chunk as `btrfs inspect-internal` prints it: start, length, profile, and place on its device,
in bytes."""

LAYER = """d=/sys/class/block/$(basename "$(readlink -f "$1")")
if [ -e "$d/dm" ]; then dmsetup table "$(cat "$d/dm/name")"
elif [ -e "$d/partition" ]; then echo partition "$(cat "$d/start")"
elif [ -n "$(ls "$d/slaves" 2>/dev/null)" ]; then echo composed
else echo disk; fi"""
"""The kind of a block device: a partition with its start, a disk, or the device mapper's table:
start, length, target, and for a linear one device and offset."""

MARKED = "/root/mark"

FILL = """rm -f "$2"; : > "$2"; chattr +C "$2" 2>/dev/null
yes "$1" | head -c 8388608 > "$2" && sync && echo 3 > /proc/sys/vm/drop_caches"""
"""Btrfs may compress data, but not that of a file without copy-on-write."""

SCAN = """echo 3 > /proc/sys/vm/drop_caches
dd if="/dev/$1" bs=1M iflag=skip_bytes skip="$2" count="$3" status=none | grep -acF "$4" || :"""

NOT_ZERO = """dd if="/dev/$1" bs=1M count="$2" status=none | tr -d "\\0" | wc -c"""

ALWAYS_THERE = {"disk", "partmgr", "volmgr", "pci", "acpi", "atapi"}
"""Drivers between a disk and the driver that identifies its bus."""


class Disks(Protocol):
    """Disks, and the bytes on them."""

    def all(self) -> list[GuestDisk]:
        """Every disk that has a device behind it."""

    def drivers(self, name: str) -> list[str]:
        """The drivers of a disk and of its parent devices, from the disk up to its bus."""

    def root(self) -> str:
        """The name of the disk with the root file system."""

    def sync(self) -> None:
        """Sync all file systems to their disks."""

    def fill_file(self, mark: str) -> int:
        """Fill a file with the mark and sync it; returns its first sector on the disk."""

    def has_filled_file(self) -> bool:
        """Whether the file that `fill_file` makes exists."""

    def holds(self, mark: str, *, start: int, mebibytes: int) -> bool:
        """Whether the raw root disk contains the mark, from byte `start` on."""

    def bytes_not_zero(self, disk: str, mebibytes: int) -> int:
        """Non-zero bytes in the first `mebibytes` MiB of the raw disk of this name."""


class LinuxDisks(LinuxShell):
    """See Disks."""

    def all(self) -> list[GuestDisk]:
        """Every disk that has a device behind it (no loop or RAM disks)."""
        listed = self.sh(
            'for d in /sys/block/*; do [ -e "$d/device" ] || continue;'
            ' driver=$(basename "$(readlink -f "$d/device/driver")");'
            ' serial=$(cat "$d/serial" "$d/device/serial" 2>/dev/null | head -n1);'
            ' [ -n "$serial" ] || serial=$(tail -c +5 "$d/device/vpd_pg80" 2>/dev/null);'
            ' echo "$(basename "$d")|$serial|$(cat "$d/size")|$driver"; done'
        )
        return [
            GuestDisk(name, serial.strip(), whole_number(sectors, "disk's size") * 512, driver)
            for name, serial, sectors, driver in rows(listed, 4, "list of disks")
        ]

    def drivers(self, name: str) -> list[str]:
        """The drivers of a disk and of its parent devices, from the disk up to its bus."""
        return self.sh(
            'd=$(readlink -f "/sys/block/$1/device"); while [ "$d" != /sys ]; do'
            ' [ -e "$d/driver" ] && basename "$(readlink -f "$d/driver")"; d=$(dirname "$d");'
            " done; :",
            name,
        ).split()

    def root(self) -> str:
        """The name of the disk with the root file system, also beneath a logical volume."""
        return self.sh(ROOT_DISK).strip()

    def sync(self) -> None:
        """Sync all file systems to their disks."""
        self.sh("sync")

    def fill_file(self, mark: str) -> int:
        """Fill a file with the mark and sync it; returns its first sector on the disk."""
        self.sh(FILL, mark, MARKED, seconds=60)
        return self.first_sector(MARKED)

    def has_filled_file(self) -> bool:
        """Whether the file that `fill_file` makes exists."""
        return self.succeeds("test", "-e", MARKED)

    def holds(self, mark: str, *, start: int, mebibytes: int) -> bool:
        """Whether the raw root disk contains the mark, from byte `start` on."""
        where = (self.root(), str(start), str(mebibytes))
        return whole_number(self.sh(SCAN, *where, mark, seconds=60), "count of marks") > 0

    def bytes_not_zero(self, disk: str, mebibytes: int) -> int:
        """Non-zero bytes in the first `mebibytes` MiB of the raw disk of this name."""
        counted = self.sh(NOT_ZERO, disk, str(mebibytes), seconds=60)
        return whole_number(counted, "count of bytes")

    def first_sector(self, path: str) -> int:
        """The first sector of a file on the disk that holds the root file system.

        Raises NotApplicable where a layer between them (another file system, encryption, RAID)
        does not map it to one place.
        """
        kind, source = self._root_file_system()
        sector = whole_number(self.sh(FIRST_EXTENT, path).rstrip(".\n"), "file's first sector")
        if kind == "btrfs":
            sector = self._in_chunks(sector * SECTOR, source) // SECTOR
        elif kind not in DEVICE_SECTORS:
            raise NotApplicable(f"the place of a file on its disk is unknown for {kind[:20]!r}")
        for _ in range(MOST_LAYERS):
            layer = self.sh(LAYER, source).split("\n")
            match layer[0].split():
                case ["disk"]:
                    return sector
                case ["partition", start]:
                    return sector + whole_number(start, "partition's start")
                case _:
                    sector, source = _below(layer, sector)
        raise ChannelError(f"the guest's root file system is on more than {MOST_LAYERS} layers")

    def _in_chunks(self, address: int, device: str) -> int:
        """The byte of the device to which btrfs maps a logical address."""
        for found in CHUNK.finditer(self.sh(CHUNKS, device)):
            start, length, place = (int(found[number]) for number in (1, 2, 4))
            if start <= address < start + length:
                if found[3] not in ONE_COPY:
                    raise NotApplicable(f"the guest's btrfs spreads files over disks ({found[3]})")
                return address - start + place
        raise ChannelError("no chunk of the guest's btrfs has the file's address")

    def _root_file_system(self) -> tuple[str, str]:
        """Its type and its device."""
        table = rows(self.sh(ROOT), 2, "root file system")
        if len(table) != 1:
            raise ChannelError(f"the guest lists {len(table)} root file systems")
        return table[0][0], table[0][1]


class WindowsDisks(WindowsShell):
    """See Disks."""

    def all(self) -> list[GuestDisk]:
        """Every disk, by its number. Needs Windows 8 or Server 2012."""
        return [
            GuestDisk(
                f"PhysicalDrive{disk.number('Index')}",
                disk.text("SerialNumber"),
                disk.number("Size"),
                next((d for d in _drivers(disk) if d not in ALWAYS_THERE), ""),
            )
            for disk in self._disks()
        ]

    def drivers(self, name: str) -> list[str]:
        """The drivers of a disk and of its parent devices, from the disk up to the root."""
        for disk in self._disks():
            if name == f"PhysicalDrive{disk.number('Index')}":
                return _drivers(disk)
        raise ChannelError(f"the guest has no disk {name}")

    def root(self) -> str:
        """The name of the disk that Windows runs from. Needs Windows 8 or Server 2012."""
        found = self.instances(
            "MSFT_Partition", "DiskNumber", "IsBoot", namespace=r"root\Microsoft\Windows\Storage"
        )
        for partition in found:
            if partition.flag("IsBoot"):
                return f"PhysicalDrive{partition.number('DiskNumber')}"
        raise ChannelError("the guest reports no partition that it runs from")

    def sync(self) -> None:
        """Sync the system volume to its disk."""
        self.ask("sync")

    def fill_file(self, mark: str) -> int:
        """Fill a file with the mark and sync it; returns its first sector on the disk.

        Needs Windows 8 or Server 2012.
        """
        return number(self.ask("raw_disk", "fill", mark, seconds=120), "sector")

    def has_filled_file(self) -> bool:
        """Whether the file that `fill_file` makes exists."""
        return flag(self.ask("raw_disk", "there"), "file")

    def holds(self, mark: str, *, start: int, mebibytes: int) -> bool:
        """Whether the raw disk that Windows runs from contains the mark, from byte `start` on."""
        where = (str(start), str(mebibytes * 2**20))
        return flag(self.ask("raw_disk", "find", mark, *where, seconds=120), "find")

    def bytes_not_zero(self, disk: str, mebibytes: int) -> int:
        """Non-zero bytes in the first `mebibytes` MiB of the raw disk of this name."""
        counted = self.ask("raw_disk", "count", disk, str(mebibytes * 2**20), seconds=60)
        return number(counted, "count")

    def _disks(self) -> list[Fields]:
        return sorted(entries(self.ask("disks"), "disks"), key=lambda disk: disk.number("Index"))


def _below(table: list[str], sector: int) -> tuple[int, str]:
    """The device beneath a mapped device, and the sector there."""
    for line in table:
        match line.split():
            case [start, length, "linear", device, offset]:
                first = whole_number(start, "mapping's start")
                if first <= sector < first + whole_number(length, "mapping's length"):
                    beneath = sector - first + whole_number(offset, "mapping's offset")
                    return beneath, f"/dev/block/{device}"
            case [_, _, target, *_]:
                raise NotApplicable(f"the guest's root is on a {target[:20]!r} device")
            case ["composed"]:
                raise NotApplicable("the guest's root is on a device made of others, such as RAID")
    raise ChannelError(f"a device of the guest's has no mapping for sector {sector}")


def _drivers(disk: Fields) -> list[str]:
    return [linux_name(service) for service in disk.texts("Drivers")]
