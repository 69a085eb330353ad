"""VHD, the format of Virtual PC and Azure.

Source: Microsoft's Virtual Hard Disk Image Format Specification 1.0 (Hard Disk Footer Format).
"""

from __future__ import annotations

import struct

from harness.image_store.formats.reader import AGAIN, Disk, Reader, UnfitError, leaning

COOKIE = b"conectix"
FOOTER = 512
CHECKSUM = 64
FIXED, DYNAMIC, DIFFERENCING = 2, 3, 4

OPTIONS = {"force_size_calc": "current_size"}
"""Without it QEMU takes the size from the geometry of some makers' disks, which is less."""


def read_dynamic(reader: Reader) -> Disk:
    """A disk that begins with a copy of its footer. Raises UnfitError for one with a parent."""
    return _disk(reader, reader.read(0, FOOTER))


def read_fixed(reader: Reader) -> Disk | None:
    """A disk whose footer is its last sector; None if that is only a disk's own sector."""
    if reader.length <= FOOTER:
        return None
    footer = reader.read(reader.length - FOOTER, FOOTER)
    if not footer.startswith(COOKIE) or not _sound(footer):
        return None
    disk = _disk(reader, footer)
    if _kind(footer) == FIXED and disk.size + FOOTER != reader.length:
        raise UnfitError(
            f"is damaged: its footer states {disk.size} bytes, and it has {reader.length - FOOTER}",
            AGAIN,
        )
    if _kind(footer) == DYNAMIC:
        raise UnfitError("is damaged: its beginning is not that of a dynamic VHD", AGAIN)
    return disk


def _disk(reader: Reader, footer: bytes) -> Disk:
    (size,) = struct.unpack_from(">Q", footer, 48)
    if _kind(footer) == DIFFERENCING:
        raise leaning(reader.name, "its parent disk")
    if not _sound(footer) or _kind(footer) not in (FIXED, DYNAMIC) or size % 512:
        raise UnfitError("is damaged: the footer of this VHD makes no sense", AGAIN)
    return Disk("vpc", size, OPTIONS)


def _kind(footer: bytes) -> int:
    kind: int = struct.unpack_from(">I", footer, 60)[0]
    return kind


def _sound(footer: bytes) -> bool:
    """Whether the checksum holds: the complement of the sum of all its other bytes."""
    (recorded,) = struct.unpack_from(">I", footer, CHECKSUM)
    others = sum(footer) - sum(footer[CHECKSUM : CHECKSUM + 4])
    return bool(recorded == ~others & 0xFFFFFFFF)
