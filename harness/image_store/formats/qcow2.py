"""The header of qcow2. Source: QEMU's docs/interop/qcow2.txt."""

from __future__ import annotations

from array import array

from harness.image_store.formats.reader import (
    AGAIN,
    MOST_ENTRIES,
    Disk,
    Reader,
    UnfitError,
    leaning,
    shown,
    truncated,
)

MAGIC = b"QFI\xfb"
HEADER_V2 = 72
"""Bytes of a header of version 2, which has no room for its own length."""

CORRUPT, EXTERNAL_DATA, EXTENDED_L2 = 1 << 1, 1 << 2, 1 << 4
"""Incompatible features, at byte 72 of a header of version 3."""

DATA_FILE_NAME = 0x44415441
"""The type of the header extension that names the external data file."""

CLUSTER_BITS = range(9, 22)

OFFSET = 0x00FFFFFFFFFFFE00
COMPRESSED, ZERO = 1 << 62, 1
"""Fields of the entries of the tables: where a cluster is, and what it is."""

MOST_L1_BYTES = 32 * 1024 * 1024
"""The largest first table that QEMU reads (QCOW_MAX_L1_SIZE)."""

ROUNDED = 511
"""A compressed cluster is counted in sectors of 512 bytes, and may end the file within one."""


def read_qcow2(reader: Reader) -> Disk:
    """Raises UnfitError if the image leans on another file, is encrypted, or has no bytes."""
    version, backing_at, backing_size, cluster_bits, size, encryption = reader.numbers(4, ">IQIIQI")
    if version not in (2, 3):
        raise UnfitError(
            f"is a qcow image of version {version}, and only 2 and 3 are supported",
            f"convert it: qemu-img convert -O qcow2 {reader.name} new.qcow2",
        )
    if cluster_bits not in CLUSTER_BITS:
        raise UnfitError("is damaged: its header makes no sense", AGAIN)
    if backing_at:
        named = reader.read(backing_at, min(backing_size, 1023))
        raise leaning(reader.name, f"its backing file {shown(named)}")
    features = reader.numbers(72, ">Q")[0] if version == 3 else 0
    if features & EXTERNAL_DATA:
        raise leaning(reader.name, f"its data file {shown(_data_file(reader, cluster_bits))}")
    if encryption:
        raise UnfitError(
            "is encrypted",
            f"decrypt it: qemu-img convert -O qcow2 --object secret,... {reader.name} plain.qcow2",
        )
    if features & CORRUPT:
        raise UnfitError(
            "is damaged: QEMU marked it as corrupt",
            f"qemu-img check -r all {reader.name}, or build it again",
        )
    _require_data(reader, cluster_bits, size, bool(features & EXTENDED_L2))
    return Disk("qcow2", size)


def _data_file(reader: Reader, cluster_bits: int) -> bytes:
    """The name in the header extension; empty if there is none."""
    offset = reader.numbers(100, ">I")[0]
    end = 1 << cluster_bits
    while HEADER_V2 <= offset <= end - 8:
        kind, length = reader.numbers(offset, ">II")
        if kind == DATA_FILE_NAME:
            return reader.read(offset + 8, min(length, 1023))
        if kind == 0:
            break
        offset += 8 + (length + 7) // 8 * 8
    return b""


def _require_data(reader: Reader, cluster_bits: int, size: int, extended: bool) -> None:
    """Raises UnfitError if the file ends before the last of its data.

    `qemu-img check` forgives a last cluster that is incomplete, and it reads as zeros.
    """
    entries, at = reader.numbers(36, ">IQ")
    if entries * 8 > MOST_L1_BYTES:
        raise UnfitError("is damaged: its header makes no sense", AGAIN)
    cluster, step = 1 << cluster_bits, 2 if extended else 1
    per_table = cluster // (8 * step)
    seen: set[int] = set()
    for number, entry in enumerate(reader.table(at, entries, "Q", swapped=True)):
        table = entry & OFFSET
        if not table or table in seen or len(seen) * cluster // 8 > MOST_ENTRIES:
            continue
        seen.add(table)
        second = reader.table(table, cluster // 8, "Q", swapped=True)[::step]
        needed = _end_of_data(second, cluster_bits, size - number * per_table * cluster)
        if needed > reader.length:
            raise truncated(needed, reader.length)


def _end_of_data(table: array[int], cluster_bits: int, left: int) -> int:
    """Where the data ends that a second table leads to; `left`: the disk's bytes from it on."""
    cluster = 1 << cluster_bits
    sectors_at = 62 - (cluster_bits - 8)
    end = 0
    for number, entry in enumerate(table):
        if entry & COMPRESSED:
            start = entry & ((1 << sectors_at) - 1) & ~511
            sectors = (entry & (COMPRESSED - 1)) >> sectors_at
            end = max(end, start + (sectors + 1) * 512 - ROUNDED)
        elif entry & OFFSET and not entry & ZERO:
            end = max(end, (entry & OFFSET) + min(cluster, max(0, left - number * cluster)))
    return end
