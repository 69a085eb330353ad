"""Assembles a disk that boots with BIOS and with UEFI, without loop devices."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from harness.image_store.programs import run_program
from harness.image_store.recipe import BootstrapArchitecture

SECTOR = 512
MIB = 1024 * 1024
BIOS_BOOT_START = 1 * MIB
ESP_START = 2 * MIB
ESP_SIZE = 64 * MIB
ROOT_START = ESP_START + ESP_SIZE
TAIL = 1 * MIB
"""Space for the backup GPT at the end of the disk."""

BIOS_BOOT_TYPE = "21686148-6449-6E6F-744E-656564454649"
"""GPT type of the partition with GRUB's core (GRUB's manual)."""

ESP_TYPE = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"

ROOT_TYPES = {
    BootstrapArchitecture.AMD64: "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709",
    BootstrapArchitecture.I386: "44479540-F297-41B2-9AF7-D131D5F0458A",
    BootstrapArchitecture.ARM64: "B921B045-1DF0-41C3-AF44-4C6F280D3FAE",
}
"""GPT types of root partitions (UAPI group, Discoverable Partitions Specification)."""


def root_mib(disk_gib: int) -> int:
    """The size of the root partition in MiB, on a disk of that size."""
    return (disk_gib * 1024 * MIB - ROOT_START - TAIL) // MIB


def assemble_disk(
    parts: Path, architecture: BootstrapArchitecture, disk_gib: int, disk: Path, log: Path
) -> None:
    """Assemble the raw `disk` from the bootstrap hook's output in `parts`."""
    esp = _make_esp(parts, log)
    with disk.open("wb") as file:
        file.truncate(disk_gib * 1024 * MIB)
    _partition(disk, ROOT_TYPES[architecture], root_mib(disk_gib), log)
    if (parts / "core.img").exists():  # only for architectures with BIOS machines
        _install_grub(disk, parts)
    for part, start in ((esp, ESP_START), (parts / "root.ext4", ROOT_START)):
        _copy_sparse(part, disk, start)


def _make_esp(parts: Path, log: Path) -> Path:
    """Create the EFI system partition with mtools, as the host's kernel may lack vfat."""
    esp = parts / "esp.img"
    with esp.open("wb") as file:
        file.truncate(ESP_SIZE)
    run_program(["mformat", "-i", str(esp), "-F", "-c", "1", "-v", "ESP", "::"], log=log)
    run_program(["mcopy", "-s", "-i", str(esp), str(parts / "EFI"), "::/"], log=log)
    return esp


def _partition(disk: Path, root_type: str, root_size: int, log: Path) -> None:
    table = ["label: gpt"]
    for start, size, kind in (
        (BIOS_BOOT_START, ESP_START - BIOS_BOOT_START, BIOS_BOOT_TYPE),
        (ESP_START, ESP_SIZE, ESP_TYPE),
        (ROOT_START, root_size * MIB, root_type),
    ):
        table.append(f"start={start // SECTOR}, size={size // SECTOR}, type={kind}")
    run_program(["sfdisk", "--quiet", str(disk)], stdin="\n".join(table) + "\n", log=log)


def _install_grub(disk: Path, parts: Path) -> None:
    """Install GRUB like grub-bios-setup: boot.img into the MBR, core.img into its partition.

    Offsets are GRUB's (include/grub/i386/pc/boot.h): the kernel sector of boot.img at 0x5c, the
    drive check's jump at 0x66, and core.img's first block list entry at the end of its sector.
    """
    core = bytearray((parts / "core.img").read_bytes())
    struct.pack_into("<Q", core, 500, BIOS_BOOT_START // SECTOR + 1)
    boot = bytearray((parts / "boot.img").read_bytes()[:440])
    struct.pack_into("<Q", boot, 0x5C, BIOS_BOOT_START // SECTOR)
    boot[0x66:0x68] = b"\x90\x90"
    with disk.open("r+b") as file:
        file.write(boot)
        file.seek(BIOS_BOOT_START)
        file.write(core)


def _copy_sparse(part: Path, disk: Path, start: int) -> None:
    """Copy the data of `part` to `start` of `disk`; holes stay holes."""
    with part.open("rb") as source, disk.open("r+b") as target:
        end = source.seek(0, os.SEEK_END)
        offset = 0
        while offset < end:
            try:
                offset = os.lseek(source.fileno(), offset, os.SEEK_DATA)
            except OSError:  # ENXIO: only holes are left
                return
            hole = os.lseek(source.fileno(), offset, os.SEEK_HOLE)
            source.seek(offset)
            target.seek(start + offset)
            while offset < hole:
                chunk = source.read(min(4 * MIB, hole - offset))
                target.write(chunk)
                offset += len(chunk)
