"""VHDX, Hyper-V's disks. Source: Microsoft's [MS-VHDX], sections 2.2 to 2.6."""

from __future__ import annotations

import struct
import uuid

from harness.image_store.formats.reader import AGAIN, Disk, Reader, UnfitError, leaning

MAGIC = b"vhdxfile"
HEADERS = (64 * 1024, 128 * 1024)
HEADER = 4096
REGIONS = (192 * 1024, 256 * 1024)
MOST_ENTRIES = 2047
METADATA = uuid.UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e")
FILE_PARAMETERS = uuid.UUID("caa16737-fa36-4d43-b3b6-33f0aa44e76b")
VIRTUAL_SIZE = uuid.UUID("2fa54224-cd1b-4876-b211-5dbed83bf4b8")
HAS_PARENT = 1 << 1
CASTAGNOLI = 0x82F63B78
"""The polynomial of CRC-32C, bits reversed."""


def read_vhdx(reader: Reader) -> Disk:
    """Raises UnfitError if the disk has a parent, or its headers are damaged."""
    metadata = _metadata(reader)
    flags = reader.numbers(metadata[FILE_PARAMETERS] + 4, "<I")[0]
    if flags & HAS_PARENT:
        raise leaning(reader.name, "its parent disk")
    (size,) = reader.numbers(metadata[VIRTUAL_SIZE], "<Q")
    return Disk("vhdx", size, log=_has_log(reader))


def _metadata(reader: Reader) -> dict[uuid.UUID, int]:
    """Where each item of the metadata is, in bytes from the beginning of the file."""
    for table in REGIONS:
        regions = _entries(reader, table, b"regi", 16, "<16sQII")
        if METADATA in regions:
            start = int(regions[METADATA][0])
            items = _entries(reader, start, b"metadata", 32, "<16sIIII")
            if {FILE_PARAMETERS, VIRTUAL_SIZE} <= items.keys():
                return {item: start + int(values[0]) for item, values in items.items()}
    raise UnfitError("is damaged: this VHDX has no metadata", AGAIN)


def _entries(
    reader: Reader, table: int, signature: bytes, first: int, form: str
) -> dict[uuid.UUID, tuple[int, ...]]:
    """The entries of a table by their GUIDs; none if the table is not one."""
    head = reader.read(table, first)
    if not head.startswith(signature):
        return {}
    count = struct.unpack_from("<I", head, 8)[0] if signature == b"regi" else None
    if count is None:
        count = struct.unpack_from("<H", head, 10)[0]
    found = {}
    for number in range(min(count, MOST_ENTRIES)):
        guid, *values = reader.numbers(table + first + number * 32, form)
        found[uuid.UUID(bytes_le=guid)] = tuple(values)
    return found


def _has_log(reader: Reader) -> bool:
    """Whether the current header names a log, which a disk that was closed well does not."""
    best = (-1, False)
    for offset in HEADERS:
        header = reader.read(offset, HEADER)
        recorded, number = struct.unpack_from("<IQ", header, 4)
        blank = header[:4] + bytes(4) + header[8:]
        if header.startswith(b"head") and _crc32c(blank) == recorded:
            best = max(best, (number, any(header[48:64])))
    if best[0] < 0:
        raise UnfitError("is damaged: neither header of this VHDX is sound", AGAIN)
    return best[1]


def _crc32c(data: bytes) -> int:
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (CASTAGNOLI if register & 1 else 0)
    return register ^ 0xFFFFFFFF
