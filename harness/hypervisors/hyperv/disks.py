"""Local disk files as Hyper-V sees them: what they hold, which of them is which, and as VHDX."""

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
"""A medium from here on is a vendor's; a smaller one holds answers that are one run's own."""

SMALLEST = 4 * 1024 * 1024
"""Windows itself makes no virtual disk of less than 3 MiB; no reader minds zeros behind a seed."""


def chain(disk: DiskDefinition) -> list[Path]:
    """The files that a disk is made of, the one that is written to first."""
    if disk.format == "raw" or disk.device is not DiskDevice.DISK:
        return [disk.path]
    return qemu_img.layers(disk.path, disk.format)


def data_layers(disk: DiskDefinition, layers: Sequence[Path]) -> list[Path]:
    """A disk's files from the first one on that holds data.

    A fresh overlay holds none, so that all overlays of one base are one content.
    """
    if disk.format == "raw" or disk.device is not DiskDevice.DISK:
        return list(layers)
    first = next(
        (n for n, layer in enumerate(layers) if qemu_img.holds_data(layer)), len(layers) - 1
    )
    return list(layers[first:])


def content_key(disk: DiskDefinition, layers: Sequence[Path]) -> str:
    """Tells contents apart: a digest of every layer."""
    digest = hashlib.sha256(f"{disk.device} {disk.format}\n".encode())
    for layer in layers:
        digest.update(file_digest(layer).encode())
    return digest.hexdigest()[:40]


def identity(file: Path) -> str:
    """Tells a file from every other, whatever it is called now; it must not be written to here.

    What a guest writes into it on the host is kept under this name: a file that is made anew is
    another one, and one that was renamed is the same.
    """
    status = file.stat()
    words = f"{status.st_dev} {status.st_ino} {status.st_mtime_ns}"
    return hashlib.sha256(words.encode()).hexdigest()[:40]


def is_shared(disk: DiskDefinition, layers: Sequence[Path]) -> bool:
    """Whether later runs use the content too: a base image alone, or a vendor's medium.

    What a run provisioned, its seed and its answers hold secrets, and go with the run.
    """
    if disk.format == "raw":
        return layers[0].stat().st_size >= LARGE
    return len(layers) == 1


def file_digest(file: Path) -> str:
    """SHA-256 of a file, computed again only when the file changed."""
    status = file.stat()
    return _digest_of(file, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest_of(file: Path, _size: int, _changed: int) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


@contextmanager
def alone_with(file: Path) -> Iterator[None]:
    """Keep other processes here that ask for the same file waiting, while the block lasts.

    On a file system that locks nothing they go on, and the host notices that two bring one file.
    """
    with file.open("rb") as held:
        with suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextmanager
def as_host_takes_it(disk: DiskDefinition) -> Iterator[Path]:
    """The file for the host, while the block lasts: a disk as a dynamic VHDX, a medium as it is."""
    if disk.device is not DiskDevice.DISK:
        yield disk.path
        return
    try:
        folder = Path(tempfile.mkdtemp(prefix="guestcert-vhdx-", dir=disk.path.parent))
    except OSError as error:
        raise HarnessError(
            f"no VHDX can be made beside {disk.path}: {error.strerror}",
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
