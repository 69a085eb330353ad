"""The place of a Linux guest's file on its disk, through all layers of storage."""

from __future__ import annotations

import re

from harness.errors import ChannelError, NotApplicable
from harness.guests.answers import rows, whole_number
from harness.guests.linux.devices import LinuxDevices

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


class LinuxPlacement(LinuxDevices):
    """Follows a file down to its disk: through the file system, logical volumes and partitions."""

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

    def _root_file_system(self) -> tuple[str, str]:
        """Its type and its device."""
        table = rows(self.sh(ROOT), 2, "root file system")
        if len(table) != 1:
            raise ChannelError(f"the guest lists {len(table)} root file systems")
        return table[0][0], table[0][1]

    def _in_chunks(self, address: int, device: str) -> int:
        """The byte of the device to which btrfs maps a logical address."""
        for found in CHUNK.finditer(self.sh(CHUNKS, device)):
            start, length, place = (int(found[number]) for number in (1, 2, 4))
            if start <= address < start + length:
                if found[3] not in ONE_COPY:
                    raise NotApplicable(f"the guest's btrfs spreads files over disks ({found[3]})")
                return address - start + place
        raise ChannelError("no chunk of the guest's btrfs has the file's address")


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
