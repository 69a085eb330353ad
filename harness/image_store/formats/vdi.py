"""VirtualBox's disks. Source: the header as QEMU's block/vdi.c documents it."""

from __future__ import annotations

from harness.image_store.formats.reader import Disk, Reader, leaning, truncated

MAGIC = b"\x7f\x10\xda\xbe"
MAGIC_AT = 0x40
DIFFERENCE = 4
NO_UUID = bytes(16)


def read_vdi(reader: Reader) -> Disk:
    """Raises UnfitError if the disk has a parent, or is shorter than its blocks."""
    (kind,) = reader.numbers(0x4C, "<I")
    (data,) = reader.numbers(0x158, "<I")
    size, block, extra, _, allocated = reader.numbers(0x170, "<QIIII")
    if kind == DIFFERENCE or reader.read(0x1A8, 32) != NO_UUID * 2:
        raise leaning(reader.name, "its parent disk")
    needed = data + allocated * (block + extra)
    if needed > reader.length:
        raise truncated(needed, reader.length)
    return Disk("vdi", size)
