"""The description of an ISO 9660 image: the labels by which the OS database identifies it.

Offsets are of the primary volume descriptor (ECMA-119, section 8.4) and of the boot record that
El Torito adds.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError

SECTOR = 2048
FIRST_DESCRIPTOR = 16
MOST_DESCRIPTORS = 32
BOOT_RECORD, PRIMARY, TERMINATOR = 0, 1, 255
EL_TORITO = b"EL TORITO SPECIFICATION"


@dataclass(frozen=True)
class IsoDescription:
    """An image's labels by the OS database's names, its stated size in bytes, and its boot."""

    words: dict[str, str]
    size: int
    bootable: bool


def describe_iso(file: Path) -> IsoDescription:
    """Read an image's description.

    Raises UsageError if the file is not an ISO image, or shorter than it states.
    """
    if file.exists() and not file.is_file():  # opening a pipe would block until it has a writer
        raise UsageError(f"{file} is not a file", remedy="use the path of an ISO file")
    try:
        length = file.stat().st_size
        with file.open("rb") as stream:
            stream.seek(FIRST_DESCRIPTOR * SECTOR)
            sectors = stream.read(MOST_DESCRIPTORS * SECTOR)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    descriptors = _descriptors(sectors)
    primary = next((d for d in descriptors if d[0] == PRIMARY), None)
    if primary is None:
        raise UsageError(
            f"{file} is not an ISO image: it has no volume descriptor",
            remedy="use the downloaded installation medium, a file that ends in .iso",
        )
    size = _number(primary, 80, "<I") * _number(primary, 128, "<H")
    if length < size:
        raise UsageError(
            f"{file} is damaged: it states {size} bytes, and has {length}",
            remedy="download it again, and compare its checksum with the vendor's",
        )
    words = {
        "system-id": _words(primary, 8, 40),
        "volume-id": _words(primary, 40, 72),
        "publisher-id": _words(primary, 318, 446),
        "application-id": _words(primary, 574, 702),
    }
    bootable = any(d[0] == BOOT_RECORD and d[7:].startswith(EL_TORITO) for d in descriptors)
    return IsoDescription(words, size, bootable)


def _descriptors(sectors: bytes) -> list[bytes]:
    found = []
    for start in range(0, len(sectors), SECTOR):
        descriptor = sectors[start : start + SECTOR]
        if len(descriptor) < SECTOR or descriptor[1:6] != b"CD001" or descriptor[0] == TERMINATOR:
            break
        found.append(descriptor)
    return found


def _number(descriptor: bytes, offset: int, form: str) -> int:
    number: int = struct.unpack_from(form, descriptor, offset)[0]
    return number


def _words(descriptor: bytes, start: int, end: int) -> str:
    return descriptor[start:end].decode("ascii", errors="replace").strip(" \0")
