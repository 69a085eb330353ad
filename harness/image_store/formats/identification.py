"""Identifies a file's format by its bytes, without any program or other file."""

from __future__ import annotations

from collections.abc import Callable

from harness.errors import UsageError
from harness.image_store.formats import qcow2, vdi, vhd, vhdx, vmdk
from harness.image_store.formats.raw import read_raw
from harness.image_store.formats.reader import Disk, Reader, UnfitError

LARGEST_DISK = 64 * 2**40
"""Limit of a disk in bytes: the maximum of Hyper-V and of vendors."""

PACKED = {
    b"\x1f\x8b\x08": ("gzip", "gunzip"),
    b"\xfd7zXZ\0": ("xz", "unxz"),
    b"\x28\xb5\x2f\xfd": ("zstd", "unzstd"),
    b"BZh": ("bzip2", "bunzip2"),
    b"\x04\x22\x4d\x18": ("lz4", "unlz4"),
    b"PK\x03\x04": ("zip", "unzip"),
    b"7z\xbc\xaf\x27\x1c": ("7z", "7z x"),
}
"""The magic bytes of compressed files, and the programs that unpack them."""

TAR = b"ustar"
TAR_AT = 257
"""OVA files are tar archives (POSIX.1-1988, ustar)."""

UNTAKEN = {
    b"LUKS\xba\xbe": "an encrypted LUKS volume",
    b"QED\0": "a QED image",
    b"COWD": "a VMDK of an ESX host",
    b"WithoutFreeSpace": "a Parallels image",
    b"WithouFreSpacExt": "a Parallels image",
    b"Bochs Virtual HD Image": "a Bochs image",
}

READERS: tuple[tuple[bytes, int, Callable[[Reader], Disk]], ...] = (
    (qcow2.MAGIC, 0, qcow2.read_qcow2),
    (vmdk.MAGIC, 0, vmdk.read_vmdk),
    (vhd.COOKIE, 0, vhd.read_dynamic),
    (vhdx.MAGIC, 0, vhdx.read_vhdx),
    (vdi.MAGIC, vdi.MAGIC_AT, vdi.read_vdi),
)


def identify(reader: Reader) -> Disk:
    """The disk as stated by the file's headers. Raises UsageError if it is unfit."""
    try:
        disk = _read(reader)
        if disk.size <= 0:
            raise UnfitError("holds a disk of size zero", "build it again")
        if disk.size > LARGEST_DISK:
            raise UnfitError(
                f"claims a disk of {disk.size} bytes, and at most {LARGEST_DISK} are supported"
            )
    except UnfitError as unfit:
        raise UsageError(f"{reader.name} {unfit.problem}", remedy=unfit.remedy) from unfit
    return disk


def _read(reader: Reader) -> Disk:
    if not reader.length:
        raise UnfitError("is empty", "build it again")
    start = reader.start(512)
    _refuse_untaken(start, reader.name)
    if start.lstrip().startswith(vmdk.DESCRIPTOR):
        raise vmdk.refuse_descriptor(reader)
    for magic, offset, read in READERS:
        if start[offset : offset + len(magic)] == magic:
            return read(reader)
    return vhd.read_fixed(reader) or read_raw(reader)


def _refuse_untaken(start: bytes, name: str) -> None:
    for magic, (form, program) in PACKED.items():
        if start.startswith(magic):
            raise UnfitError(f"is packed with {form}", f"unpack it: {program} {name}")
    if start[TAR_AT : TAR_AT + len(TAR)] == TAR:
        raise UnfitError(
            "is a tar archive (as an OVA file is)", f"unpack it: tar -xf {name}; use the disk"
        )
    for magic, what in UNTAKEN.items():
        if start.startswith(magic):
            raise UnfitError(
                f"is {what}, which is not supported",
                f"convert it: qemu-img convert -O qcow2 {name} new.qcow2",
            )
