"""Raw disks: what a boot sector and a partition table state of their disk."""

from __future__ import annotations

import struct

from harness.image_store.formats.reader import Disk, Reader, UnfitError, truncated

SECTOR = 512
SIGNATURE = b"\x55\xaa"
GPT = b"EFI PART"
PROTECTIVE = 0xEE
"""The type of the one MBR partition of a disk that really has a GPT; its size means nothing."""

CYLINDER = 255 * 63
"""Sectors by which old tools round a partition up beyond the end of its disk."""


def read_raw(reader: Reader) -> Disk:
    """Raises UnfitError if there is no boot sector, or a partition lies past the file's end."""
    first = reader.start(SECTOR)
    if first[510:] != SIGNATURE:
        raise UnfitError(
            "is not a disk image: neither of a known format nor a disk with a boot sector",
            "use a qcow2, raw, vhd, vhdx, vdi or vmdk file",
        )
    sectors = reader.length // SECTOR
    last = _last_of_gpt(reader)
    needed = last + 1 if last is not None else _end_of_mbr(first) - CYLINDER
    if needed > sectors:
        raise truncated(needed * SECTOR, reader.length)
    return Disk("raw", -(-reader.length // SECTOR) * SECTOR)


def _last_of_gpt(reader: Reader) -> int | None:
    """The last sector that a GPT uses (UEFI specification, GPT header); None without one."""
    if reader.length < 2 * SECTOR or reader.read(SECTOR, 8) != GPT:
        return None
    last: int = reader.numbers(SECTOR + 48, "<Q")[0]
    return last


def _end_of_mbr(boot_sector: bytes) -> int:
    """The sector behind the last partition; 0 if the table is none."""
    end = 0
    for number in range(4):
        entry = boot_sector[446 + 16 * number : 462 + 16 * number]
        start, count = struct.unpack_from("<II", entry, 8)
        if entry[0] not in (0, 0x80):
            return 0  # the code of a boot sector without a table
        if entry[4] not in (0, PROTECTIVE):
            end = max(end, start + count)
    return end
