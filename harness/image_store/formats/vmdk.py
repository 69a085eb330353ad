"""VMware's sparse disks. Source: VMware's Virtual Disk Format 5.0 (technical note)."""

from __future__ import annotations

import re

from harness.image_store.formats.reader import (
    AGAIN,
    MOST_BYTES,
    MOST_ENTRIES,
    Disk,
    Reader,
    UnfitError,
    leaning,
    truncated,
)

MAGIC = b"KDMV"
DESCRIPTOR = b"# Disk DescriptorFile"
SECTOR = 512
AT_END = 0xFFFFFFFFFFFFFFFF
"""Where the grain directory is, in a disk that was written as a stream: a footer knows."""

COMPRESSED = 1 << 16
"""A flag: every grain is compressed, and preceded by its length."""

ZERO_GRAIN = 1
"""The entry of a grain of zeros, which is nowhere; 0 is one that was never written."""

FOOTER = 2 * SECTOR
"""Where that footer begins, counted from the end of the file."""

SINGLE = ("monolithicSparse", "streamOptimized")
"""The kinds that are one file; the others are a descriptor with extents in files of their own."""

KIND = re.compile(r'^[ \t]*createType[ \t]*=[ \t]*"([^"\n]{0,60})"', re.MULTILINE | re.IGNORECASE)
PARENT = re.compile(r"^[ \t]*parentCID[ \t]*=[ \t]*(\w{1,16})", re.MULTILINE | re.IGNORECASE)
HINT = re.compile(r"^[ \t]*parentFileNameHint[ \t]*=", re.MULTILINE | re.IGNORECASE)
EXTENT = re.compile(r"^(?:RW|RDONLY|NOACCESS)[ \t]+\d{1,19}[ \t]+(\w{1,20})", re.MULTILINE)
NO_PARENT = "ffffffff"


def read_vmdk(reader: Reader) -> Disk:
    """Raises UnfitError if the disk has a parent, or is one of several files."""
    sectors, _, at, length = reader.numbers(12, "<QQQQ")
    (directory,) = reader.numbers(56, "<Q")
    if directory == AT_END:
        if reader.length < 3 * SECTOR or reader.read(reader.length - FOOTER, 4) != MAGIC:
            raise truncated(reader.length + FOOTER, reader.length)
    elif directory * SECTOR > reader.length:
        raise truncated(directory * SECTOR, reader.length)
    if not sectors or not at or not 0 < length * SECTOR <= MOST_BYTES:
        raise leaning(reader.name, "it is one part of a split disk")
    text = reader.read(at * SECTOR, length * SECTOR).partition(b"\0")[0].decode("latin-1")
    _judge(text, reader.name)
    if directory != AT_END:
        _require_grains(reader, sectors, directory)
    return Disk("vmdk", sectors * SECTOR)


def _require_grains(reader: Reader, sectors: int, directory: int) -> None:
    """Raises UnfitError if the file ends before the last grain that a table leads to."""
    (flags, _, grain) = reader.numbers(8, "<IQQ")
    (per_table,) = reader.numbers(44, "<I")
    if not 0 < grain <= MOST_BYTES // SECTOR or not 0 < per_table <= MOST_BYTES // 4:
        raise UnfitError("is damaged: its header makes no sense", AGAIN)
    if flags & COMPRESSED:
        return  # a grain's length stands before it, and qemu-img reads that
    tables = -(-sectors // (grain * per_table))
    if tables > MOST_ENTRIES // 512:
        return
    seen: set[int] = set()
    for table in reader.table(directory * SECTOR, tables, "I", swapped=False):
        if not table or table in seen or len(seen) * per_table > MOST_ENTRIES:
            continue
        seen.add(table)
        last = max(reader.table(table * SECTOR, per_table, "I", swapped=False))
        needed = (last + grain) * SECTOR if last > ZERO_GRAIN else 0
        if needed > reader.length:
            raise truncated(needed, reader.length)


def refuse_descriptor(reader: Reader) -> UnfitError:
    """A text that names the files of a disk, or a raw disk that begins with such a text.

    The latter is not to be converted: its guest may have named files of the host there.
    """
    if reader.length > MOST_BYTES:
        return UnfitError(
            "starts like the descriptor of a VMDK, but is too large for one: perhaps its guest "
            "wrote that there",
            "build it again; no bootable disk starts like this",
        )
    extents = re.findall(rb'^RW[^"\n]{0,60}"([^"\n]{1,200})"', reader.start(64 * 1024), re.M)
    named = extents[0].decode("utf-8", errors="replace") if extents else "its extents"
    return leaning(reader.name, f"it is the descriptor of a VMDK: {named!r}")


def _judge(descriptor: str, name: str) -> None:
    kind = KIND.search(descriptor)
    parent = PARENT.search(descriptor)
    extents = EXTENT.findall(descriptor)
    if HINT.search(descriptor) or (parent and parent[1].lower() != NO_PARENT):
        raise leaning(name, "its parent disk")
    if kind is None:
        raise leaning(name, "it is one part of a split disk")
    if kind[1] not in SINGLE:
        raise leaning(name, f"a VMDK of the kind {kind[1]!r}")
    if extents != ["SPARSE"]:
        raise leaning(name, "its descriptor speaks of other extents")
