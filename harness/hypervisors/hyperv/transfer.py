"""Upload of disks and media to the host: as VHDX, in parts, once for each content."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from harness.errors import HypervisorError, HypervisorUnreachableError
from harness.hypervisors.definitions import DiskDefinition, DiskDevice, Ownership
from harness.hypervisors.hyperv.definition import HostDisk, HostFolders, notes_of
from harness.hypervisors.hyperv.disks import (
    chain,
    content_key,
    converted_for_host,
    data_layers,
    exclusive_lock,
    file_digest,
    identity,
    is_shared,
)
from harness.hypervisors.hyperv.remoting import ScriptRunner
from harness.image_store.qemu_img import holds_data

PART = 256 * 1024
"""Bytes of a file in one call; their base64 fits into WinRM's envelope of 500 KiB."""

PART_SECONDS = 60.0
COMPLETE_SECONDS = 600.0
"""Time limit for the host to compute the digest of the largest disks."""

ATTEMPTS = 3
"""Attempts for a transfer whose connection is cut."""

SUFFIXES = {DiskDevice.CDROM: "iso", DiskDevice.FLOPPY: "vfd"}


class Transfer:
    """Uploads files into folders of the host: one shared by later runs, or the run's own."""

    def __init__(self, run: ScriptRunner, folders: HostFolders) -> None:
        self._run = run
        self._folders = folders

    def bring(self, disk: DiskDefinition, owner: Ownership) -> HostDisk:
        """A disk's or medium's content on the host, uploaded if missing.

        A guest's writes stay on the host as long as the local file does not change, and appear
        under every overlay of that file. Raises HypervisorError where the host lacks space.
        """
        layers = chain(disk)
        writable = disk.device is DiskDevice.DISK and not disk.read_only
        written = self._written(layers[0], owner) if writable else None
        base = self._base_written_there(disk, layers, owner)
        return HostDisk(base or self._bring_content(disk, layers, owner), written)

    def _written(self, file: Path, owner: Ownership) -> str:
        """The host's file with the guest's writes to a local file."""
        return f"{self._folders.upload(owner.run)}\\written\\{identity(file)}.vhdx"

    def _base_written_there(
        self, disk: DiskDefinition, layers: Sequence[Path], owner: Ownership
    ) -> str | None:
        """The host's file of the first layer below the overlay that a guest wrote to there."""
        for number, layer in enumerate(layers[1:], start=1):
            written = self._written(layer, owner)
            if self._length(written) < 0:
                continue
            if any(holds_data(above) for above in layers[:number]):
                raise HypervisorError(
                    f"{disk.path} was written to here, and {layer} below it on the host: the two "
                    "cannot be combined"
                )
            return written
        return None

    def _bring_content(self, disk: DiskDefinition, layers: Sequence[Path], owner: Ownership) -> str:
        holding = data_layers(disk, layers)
        name = f"{content_key(disk, holding)}.{SUFFIXES.get(disk.device, 'vhdx')}"
        shared = is_shared(disk, holding)
        folder = self._folders.images if shared else self._own_folder(owner)
        target = f"{folder}\\{name}"
        with exclusive_lock(holding[0]):  # a second worker finds the upload complete
            if self._length(target) < 0:
                with converted_for_host(disk) as file:
                    self._send(file, target)
        return target

    def bring_file(self, file: Path, owner: Ownership) -> str:
        """The host's path of an unconverted file, uploaded under its own name for this run."""
        target = f"{self._own_folder(owner)}\\{file_digest(file)[:40]}\\{file.name}"
        if self._length(target) < 0:
            self._send(file, target)
        return target

    def _own_folder(self, owner: Ownership) -> str:
        folder = self._folders.upload(owner.run)
        self._run("New-Folder", "creating the run's folder", Folder=folder, Notes=notes_of(owner))
        return folder

    def _send(self, file: Path, target: str) -> None:
        digest = file_digest(file)
        # The digest in the name: a partial upload of other content is never resumed.
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
            f"uploading {file.name} to the host",
            COMPLETE_SECONDS,
            Path=partial,
            Target=target,
            Digest=digest.upper(),
        )

    def _send_rest(self, file: Path, partial: str) -> None:
        """Send the rest of the file, which the host still lacks."""
        there = self._length(partial)
        offset = max(0, there)
        with file.open("rb") as source:
            source.seek(offset)
            while (data := source.read(PART)) or there < 0:  # creates an empty file too
                there = offset
                # Trailing zeros, as in unused parts of a disk, are counted and not sent.
                content = data.rstrip(b"\0")
                self._run(
                    "Add-FilePart",
                    f"uploading {file.name} to the host",
                    PART_SECONDS,
                    Path=partial,
                    Offset=offset,
                    Data=base64.b64encode(content).decode("ascii"),
                    Zeros=len(data) - len(content),
                )
                offset += len(data)

    def _length(self, path: str) -> int:
        answer = self._run("Get-FileLength", "reading the length of a file on the host", Path=path)
        return int(answer["length"])
