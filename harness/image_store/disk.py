"""Puts a disk together that boots by itself with BIOS and with UEFI, without loop devices."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from harness.image_store.programs import run_program

SECTOR = 512
MIB = 1024 * 1024
BIOS_BOOT_START = 1 * MIB
ESP_START = 2 * MIB
ESP_SIZE = 64 * MIB
ROOT_START = ESP_START + ESP_SIZE
TAIL = 1 * MIB
"""Room for the backup GPT at the end of the disk."""

PARTITION_TYPES = {
    "bios-boot": "21686148-6449-6E6F-744E-656564454649",
    "esp": "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
    "root": "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709",
}
"""GPT partition types of the Discoverable Partitions Specification and of GRUB's manual."""

GRUB_ON_ESP = (
    "search --no-floppy --label guestcert-root --set=root\n"
    "set prefix=($root)/boot/grub\n"
    "configfile $prefix/grub.cfg\n"
)


def root_mib(disk_gib: int) -> int:
    """MiB of the root partition on a disk of that size."""
    return (disk_gib * 1024 * MIB - ROOT_START - TAIL) // MIB


def assemble_disk(parts: Path, disk_gib: int, disk: Path, log: Path) -> None:
    """Make the raw `disk` from what the bootstrap hook left in `parts`."""
    esp = _make_esp(parts, log)
    with disk.open("wb") as file:
        file.truncate(disk_gib * 1024 * MIB)
    _partition(disk, disk_gib, log)
    _install_grub(disk, parts)
    for part, start in ((esp, ESP_START), (parts / "root.ext4", ROOT_START)):
        _copy_sparse(part, disk, start)


def _make_esp(parts: Path, log: Path) -> Path:
    """The EFI system partition, filled with mtools: the host's kernel may lack vfat."""
    esp = parts / "esp.img"
    with esp.open("wb") as file:
        file.truncate(ESP_SIZE)
    image = str(esp)
    (parts / "grub.cfg").write_text(GRUB_ON_ESP, encoding="ascii")
    run_program(["mformat", "-i", image, "-F", "-c", "1", "-v", "ESP", "::"], log=log)
    run_program(["mmd", "-i", image, "::/EFI", "::/EFI/BOOT", "::/EFI/debian"], log=log)
    for source, target in (
        ("shim.efi", "EFI/BOOT/BOOTX64.EFI"),
        ("grub.efi", "EFI/BOOT/grubx64.efi"),
        ("shim.efi", "EFI/debian/shimx64.efi"),
        ("grub.efi", "EFI/debian/grubx64.efi"),
        ("grub.cfg", "EFI/debian/grub.cfg"),  # where Debian's signed GRUB looks
    ):
        run_program(["mcopy", "-i", image, str(parts / source), f"::/{target}"], log=log)
    return esp


def _partition(disk: Path, disk_gib: int, log: Path) -> None:
    table = ["label: gpt"]
    for name, start, size in (
        ("bios-boot", BIOS_BOOT_START, ESP_START - BIOS_BOOT_START),
        ("esp", ESP_START, ESP_SIZE),
        ("root", ROOT_START, root_mib(disk_gib) * MIB),
    ):
        table.append(
            f"start={start // SECTOR}, size={size // SECTOR}, type={PARTITION_TYPES[name]}"
        )
    run_program(["sfdisk", "--quiet", str(disk)], stdin="\n".join(table) + "\n", log=log)


def _install_grub(disk: Path, parts: Path) -> None:
    """What grub-bios-setup does: boot.img into the MBR, core.img into its own partition.

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
    """Copy the data of `part` to `start` of `disk`, leaving its holes holes."""
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
