"""Brings disks and media to the host: as VHDX, in parts, once for each content."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from harness.errors import HarnessError, HypervisorUnreachableError
from harness.hypervisors.base import DiskDefinition, DiskDevice, Ownership
from harness.hypervisors.hyperv.definition import HostFolders, notes_of
from harness.hypervisors.hyperv.remoting import Runner
from harness.image_store.programs import run_program

PART = 256 * 1024
"""Bytes of a file that go in one call; in base64 they fit into WinRM's envelope of 500 KiB."""

PART_SECONDS = 60.0
COMPLETE_SECONDS = 600.0
"""How long the host may take to compute the digest of the largest disks."""

ATTEMPTS = 3
"""How often a transfer goes on after its connection was cut, before it is given up."""

SUFFIXES = {DiskDevice.CDROM: "iso", DiskDevice.FLOPPY: "vfd"}

LARGE = 64 * 1024 * 1024
"""A medium from here on is a vendor's; a smaller one holds answers that are one run's own."""


class Transfer:
    """Puts files into folders of the host's: one that stays for later runs, or the run's own."""

    def __init__(self, run: Runner, folders: HostFolders) -> None:
        self._run = run
        self._folders = folders

    def bring(self, disk: DiskDefinition, owner: Ownership) -> str:
        """The host's path of a disk's or medium's content, which is brought there if it is not yet.

        Raises HypervisorError where the host has no room for it.
        """
        layers = data_layers(disk)
        suffix = SUFFIXES.get(disk.device, "vhdx")
        name = f"{content_key(disk, layers)}.{suffix}"
        shared = f"{self._folders.images}\\{name}"
        target = shared if is_shared(disk, layers) else f"{self._own_folder(owner)}\\{name}"
        if self._length(target) < 0:
            with _prepared(disk) as file:
                self._send(file, target)
        return target

    def bring_file(self, file: Path, owner: Ownership) -> str:
        """The host's path of a file as it is, under its own name; it is the run's own."""
        target = f"{self._own_folder(owner)}\\{_digest(file)[:40]}\\{file.name}"
        if self._length(target) < 0:
            self._send(file, target)
        return target

    def _own_folder(self, owner: Ownership) -> str:
        folder = self._folders.upload(owner.run)
        self._run("New-Folder", "making the run's folder", Folder=folder, Notes=notes_of(owner))
        return folder

    def _send(self, file: Path, target: str) -> None:
        digest = _digest(file)
        # The digest in the name: what another content left half done is never gone on with.
        partial = f"{target}.{digest[:16]}.partial"
        attempts = ATTEMPTS
        while True:
            try:
                self._send_rest(file, partial)
                break
            except HypervisorUnreachableError:
                attempts -= 1
                if not attempts:
                    raise
        self._run(
            "Complete-File",
            f"bringing {file.name} to the host",
            COMPLETE_SECONDS,
            Path=partial,
            Target=target,
            Digest=digest.upper(),
        )

    def _send_rest(self, file: Path, partial: str) -> None:
        """Send what the host has not of the file yet."""
        there = self._length(partial)
        offset = max(0, there)
        with file.open("rb") as source:
            source.seek(offset)
            while (data := source.read(PART)) or there < 0:  # an empty file is made too
                there = offset
                # What a disk does not use is zeros, which are told and not sent.
                content = data.rstrip(b"\0")
                self._run(
                    "Add-FilePart",
                    f"bringing {file.name} to the host",
                    PART_SECONDS,
                    Path=partial,
                    Offset=offset,
                    Data=base64.b64encode(content).decode("ascii"),
                    Zeros=len(data) - len(content),
                )
                offset += len(data)

    def _length(self, path: str) -> int:
        answer = self._run("Get-FileLength", "looking into the host's folder", Path=path)
        return int(answer["length"])


def content_key(disk: DiskDefinition, layers: Sequence[Path]) -> str:
    """Tells contents apart: a digest of every layer."""
    digest = hashlib.sha256(f"{disk.device} {disk.format}\n".encode())
    for layer in layers:
        digest.update(_digest(layer).encode())
    return digest.hexdigest()[:40]


def is_shared(disk: DiskDefinition, layers: Sequence[Path]) -> bool:
    """Whether later runs use the content too: a base image alone, or a vendor's medium.

    What a run provisioned, its seed and its answers hold secrets, and go with the run.
    """
    if disk.format == "raw":
        return layers[0].stat().st_size >= LARGE
    return len(layers) == 1


def data_layers(disk: DiskDefinition) -> list[Path]:
    """The files that a disk is made of, from the first one that holds data.

    A fresh overlay holds none, so that all overlays of one base are one content.
    """
    if disk.format == "raw" or disk.device is not DiskDevice.DISK:
        return [disk.path]
    said = run_program(
        ["qemu-img", "info", "--output=json", "--backing-chain", "-f", disk.format, str(disk.path)]
    )
    chain = [Path(layer["filename"]) for layer in json.loads(said)]
    while len(chain) > 1 and not _holds_data(chain[0]):
        chain.pop(0)
    return chain


def _holds_data(layer: Path) -> bool:
    said = run_program(["qemu-img", "map", "--output=json", "-f", "qcow2", str(layer)])
    return any(extent["depth"] == 0 and extent["present"] for extent in json.loads(said))


def _digest(file: Path) -> str:
    status = file.stat()
    return _digest_of(file, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest_of(file: Path, _size: int, _changed: int) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


@contextmanager
def _prepared(disk: DiskDefinition) -> Iterator[Path]:
    """The file as the host takes it: a disk as a dynamic VHDX, a medium as it is."""
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
        convert = ["qemu-img", "convert", "-q", "-f", disk.format, "-O", "vhdx"]
        run_program([*convert, "-o", "subformat=dynamic", str(disk.path), str(vhdx)])
        yield vhdx
    finally:
        shutil.rmtree(folder, ignore_errors=True)
