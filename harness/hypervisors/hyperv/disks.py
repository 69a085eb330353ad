"""Local disk files for Hyper-V: their content keys, their identities, and VHDX conversion."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from harness.errors import HarnessError
from harness.hypervisors.definitions import DiskDefinition, DiskDevice
from harness.image_store import qemu_img

LARGE = 64 * 1024 * 1024
"""Minimum size in bytes of a vendor's medium; smaller ones hold answers of one run."""

SMALLEST = 4 * 1024 * 1024
"""Minimum size in bytes of a VHDX (Windows creates none below 3 MiB): seeds are zero-padded."""


def chain(disk: DiskDefinition) -> list[Path]:
    """The files of a disk's backing chain, the writable one first."""
    if disk.format == "raw" or disk.device is not DiskDevice.DISK:
        return [disk.path]
    return qemu_img.layers(disk.path, disk.format)


def data_layers(disk: DiskDefinition, layers: Sequence[Path]) -> list[Path]:
    """The files of a disk from the first one that holds data.

    A fresh overlay holds none, so that all overlays of one base have the same content.
    """
    if disk.format == "raw" or disk.device is not DiskDevice.DISK:
        return list(layers)
    first = next(
        (n for n, layer in enumerate(layers) if qemu_img.holds_data(layer)), len(layers) - 1
    )
    return list(layers[first:])


def content_key(disk: DiskDefinition, layers: Sequence[Path]) -> str:
    """Content key: a digest of every layer."""
    digest = hashlib.sha256(f"{disk.device} {disk.format}\n".encode())
    for layer in layers:
        digest.update(file_digest(layer).encode())
    return digest.hexdigest()[:40]


def identity(file: Path) -> str:
    """Identity of a file, independent of its name; the file must not be written to here.

    The guest's writes are stored on the host under this key: a renamed file is the same file, a
    re-created one is not.
    """
    status = file.stat()
    key = f"{status.st_dev} {status.st_ino} {status.st_mtime_ns}"
    return hashlib.sha256(key.encode()).hexdigest()[:40]


def is_shared(disk: DiskDefinition, layers: Sequence[Path]) -> bool:
    """Whether later runs reuse the content: a base image without overlays, or a vendor's medium.

    A run's provisioned disks, seed and answers hold secrets, and are removed with the run.
    """
    if disk.format == "raw":
        return layers[0].stat().st_size >= LARGE
    return len(layers) == 1


def file_digest(file: Path) -> str:
    """SHA-256 of a file, cached until the file changes."""
    status = file.stat()
    return _digest_of(file, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest_of(file: Path, _size: int, _changed: int) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


@contextmanager
def exclusive_lock(file: Path) -> Iterator[None]:
    """Lock the file against other processes that use `exclusive_lock`, for the block's duration.

    On a file system without locks they proceed, and the host detects that two upload one file.
    """
    with file.open("rb") as held:
        with suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextmanager
def converted_for_host(disk: DiskDefinition) -> Iterator[Path]:
    """The file to upload, for the block's duration: a disk as dynamic VHDX, a medium unchanged."""
    if disk.device is not DiskDevice.DISK:
        yield disk.path
        return
    try:
        folder = Path(tempfile.mkdtemp(prefix="guestcert-vhdx-", dir=disk.path.parent))
    except OSError as error:
        raise HarnessError(
            f"cannot create a VHDX beside {disk.path}: {error.strerror}",
            remedy="set GUESTCERT_HOME to a folder that you can write",
        ) from error
    try:
        vhdx = folder / f"{disk.path.stem}.vhdx"
        source = disk.path
        if disk.format == "raw" and source.stat().st_size < SMALLEST:
            source = Path(shutil.copyfile(source, folder / "padded.img"))
            os.truncate(source, SMALLEST)
        qemu_img.convert(source, disk.format, vhdx, "vhdx", "subformat=dynamic")
        yield vhdx
    finally:
        shutil.rmtree(folder, ignore_errors=True)
