"""Brings disks and media to the host: as VHDX, in parts, once for each content."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from harness.errors import HypervisorError, HypervisorUnreachableError
from harness.hypervisors.definitions import DiskDefinition, DiskDevice, Ownership
from harness.hypervisors.hyperv.definition import HostDisk, HostFolders, notes_of
from harness.hypervisors.hyperv.disks import (
    alone_with,
    as_host_takes_it,
    chain,
    content_key,
    data_layers,
    file_digest,
    identity,
    is_shared,
)
from harness.hypervisors.hyperv.remoting import Runner
from harness.image_store.qemu_img import holds_data

PART = 256 * 1024
"""Bytes of a file that go in one call; in base64 they fit into WinRM's envelope of 500 KiB."""

PART_SECONDS = 60.0
COMPLETE_SECONDS = 600.0
"""How long the host may take to compute the digest of the largest disks."""

ATTEMPTS = 3
"""How often a transfer goes on after its connection was cut, before it is given up."""

SUFFIXES = {DiskDevice.CDROM: "iso", DiskDevice.FLOPPY: "vfd"}


class Transfer:
    """Puts files into folders of the host's: one that stays for later runs, or the run's own."""

    def __init__(self, run: Runner, folders: HostFolders) -> None:
        self._run = run
        self._folders = folders

    def bring(self, disk: DiskDefinition, owner: Ownership) -> HostDisk:
        """Where a disk's or medium's content is on the host, to which it is brought if it is not.

        What a guest writes is kept there for as long as the local file stays what it is, and is
        found under every overlay of that file. Raises HypervisorError where there is no room.
        """
        layers = chain(disk)
        writable = disk.device is DiskDevice.DISK and not disk.read_only
        written = self._written(layers[0], owner) if writable else None
        base = self._base_written_there(disk, layers, owner)
        return HostDisk(base or self._bring_content(disk, layers, owner), written)

    def _written(self, file: Path, owner: Ownership) -> str:
        """Where the host keeps what a guest writes into a local file."""
        return f"{self._folders.upload(owner.run)}\\written\\{identity(file)}.vhdx"

    def _base_written_there(
        self, disk: DiskDefinition, layers: Sequence[Path], owner: Ownership
    ) -> str | None:
        """The host's file of the first layer below the overlay into which a guest wrote there."""
        for number, layer in enumerate(layers[1:], start=1):
            written = self._written(layer, owner)
            if self._length(written) < 0:
                continue
            if any(holds_data(above) for above in layers[:number]):
                raise HypervisorError(
                    f"{disk.path} was written to here, and {layer} below it on the host: the two "
                    "can't be put together"
                )
            return written
        return None

    def _bring_content(self, disk: DiskDefinition, layers: Sequence[Path], owner: Ownership) -> str:
        holding = data_layers(disk, layers)
        name = f"{content_key(disk, holding)}.{SUFFIXES.get(disk.device, 'vhdx')}"
        shared = is_shared(disk, holding)
        folder = self._folders.images if shared else self._own_folder(owner)
        target = f"{folder}\\{name}"
        with alone_with(holding[0]):  # a worker that comes second finds it there
            if self._length(target) < 0:
                with as_host_takes_it(disk) as file:
                    self._send(file, target)
        return target

    def bring_file(self, file: Path, owner: Ownership) -> str:
        """The host's path of a file as it is, under its own name; it is the run's own."""
        target = f"{self._own_folder(owner)}\\{file_digest(file)[:40]}\\{file.name}"
        if self._length(target) < 0:
            self._send(file, target)
        return target

    def _own_folder(self, owner: Ownership) -> str:
        folder = self._folders.upload(owner.run)
        self._run("New-Folder", "making the run's folder", Folder=folder, Notes=notes_of(owner))
        return folder

    def _send(self, file: Path, target: str) -> None:
        digest = file_digest(file)
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
