"""What can be asked of a Windows guest, with what Server 2022 answers by tests/data/windows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from harness.guests.os import Ending, GuestDisk, GuestNic, OsRelease, Processor
from harness.guests.windows import WindowsOs
from harness.workloads.program import program
from tests.fakes.windows import RecordedWindows

GIB = 2**30
COUNTING = program("counting")
OUTPUT = '{"event": "count", "value": 41}\n'
EFI = "8be4df61-93ca-11d2-aa0d-00e098032b8c"

Ask = Callable[[WindowsOs], object]

FACTS: dict[str, tuple[Ask, object]] = {
    "boot_id": (
        lambda os: os.boot_id(),
        "2026-11-25T02:11:09.5000000Z 3f0c6f0e-6a7e-4be0-a0e5-0a8f4a6a2c11",
    ),
    "uptime": (lambda os: os.uptime(), 754.321),
    "clock": (lambda os: os.clock(), 1795572345678.12 / 1000),
    "startup": (lambda os: os.startup(), (14.233, 31.8)),
    "settled": (lambda os: os.settled(), ""),
    "os_release": (
        lambda os: os.os_release(),
        OsRelease(
            system="Windows",
            distribution="windows-server",
            name="Windows Server 2022 Standard",
            release="20348",
            title="Microsoft Windows Server 2022 Standard, build 20348.2700",
            kernel="10.0.20348.2700",
            kernel_architecture="x86_64",
            architecture="x86_64",
            edition="ServerStandard",
        ),
    ),
    "packages": (
        lambda os: os.packages(limit=1000),
        ["KB5011497", "KB5012170", "QEMU guest agent 107.0.0"],
    ),
    "ended_cleanly": (lambda os: os.ended_cleanly(b"", Ending.REBOOT), True),
    "running_units": (lambda os: os.running_units(), {"EventLog", "Dhcp", "QEMU-GA"}),
    "failed_units": (lambda os: os.failed_units(), ["Spooler"]),
    "cpus_online": (lambda os: os.cpus_online(), 2),
    "cpus_present": (lambda os: os.cpus_present(), 2),
    "missing_flags": (
        lambda os: os.missing_flags({"sse2", "avx", "pni", "unheard-of"}),
        {"avx"},
    ),
    "processors": (lambda os: os.processors(), [Processor(0, 0, 0, "0"), Processor(1, 0, 1, "1")]),
    "numa_nodes": (lambda os: os.numa_nodes(), {0: (2, 2096620 * 1024)}),
    "runs_on": (lambda os: os.runs_on(1), 1),
    "memory_available": (lambda os: os.memory_available(), 1200000 * 1024),
    "memory_total": (lambda os: os.memory_total(), 2096620 * 1024),
    "disks": (
        lambda os: os.disks(),
        [
            GuestDisk("PhysicalDrive0", "GC-ROOT", 40 * GIB, "virtio_blk"),
            GuestDisk("PhysicalDrive1", "GC-DATA", GIB, "virtio_scsi"),
        ],
    ),
    "disk_drivers": (
        lambda os: os.disk_drivers("PhysicalDrive0"),
        ["disk", "virtio_blk", "pci", "acpi"],
    ),
    "root_device": (lambda os: os.root_device(), "PhysicalDrive0"),
    "nics": (
        lambda os: os.nics(),
        [
            GuestNic(
                "Ethernet",
                "52:54:00:12:34:56",
                "virtio_net",
                ("10.217.1.27/24", "fe80::5054:ff:fe12:3456/64", "fd00:217:1::27/128"),
            )
        ],
    ),
    "smbios": (lambda os: os.smbios("product_serial"), "GC-0001"),
    "pci_devices": (
        lambda os: os.pci_devices(),
        ["1af4:1041", "1af4:1042", "1af4:1043", "1af4:1044", "1af4:1045", "8086:29c0"],
    ),
    "usb_devices": (lambda os: os.usb_devices(), ["0627:0001"]),
    "virtio_drivers": (
        lambda os: os.virtio_drivers(),
        ["-", "virtio_balloon", "virtio_blk", "virtio_console", "virtio_net"],
    ),
    "virtio_ports": (lambda os: os.virtio_ports(), ["org.qemu.guest_agent.0"]),
    "has_acpi_driver": (lambda os: os.has_acpi_driver("GenCounter"), True),
    "unload_driver": (lambda os: os.unload_driver("virtio_rng"), True),
    "load_driver": (lambda os: os.load_driver("virtio_rng"), True),
    "default_routes": (lambda os: os.default_routes(), ["10.217.1.1"]),
    "resolve": (lambda os: os.resolve("host.guestcert"), ["10.217.1.1", "fd00:217:1::1"]),
    "identity": (
        lambda os: os.identity(),
        {
            "SID": {"S-1-5-21-1004336348-1177238915-682003330"},
            "machine GUID": {"9f6d5a52-2f7d-4e9d-9b60-0f1e2d3c4b5a"},
            "MAC addresses": {"52:54:00:12:34:56"},
            "computer name": {"GC-2022"},
        },
    ),
    "is_uefi": (lambda os: os.is_uefi(), True),
    "knows_firmware": (lambda os: os.knows_firmware(), True),
    "uefi_variable": (lambda os: os.uefi_variable("BootCurrent", EFI), b"\1\0"),
    "secure_boot": (lambda os: os.secure_boot(), False),
    "tpm_version": (lambda os: os.tpm_version(), 0),
    "tpm_exchange": (
        lambda os: os.tpm_exchange(b"command"),
        b"\x80\x01\x00\x00\x00\x0a\x00\x00\x00\x00",
    ),
    "has_boot_argument": (lambda os: os.has_boot_argument("guestcert.mark=1"), True),
    "root_is_writable": (lambda os: os.root_is_writable(), True),
    "read_file": (lambda os: os.read_file("before"), "kept"),
    "markers_on_disk": (lambda os: os.markers_on_disk(), {"first", "second"}),
    "markers_in_memory": (lambda os: os.markers_in_memory(), {"first"}),
    "fill_file": (lambda os: os.fill_file("mark"), 20971520),
    "has_marker_file": (lambda os: os.has_marker_file(), True),
    "disk_holds": (lambda os: os.disk_holds("mark", start=512, mebibytes=1), True),
    "bytes_not_zero": (lambda os: os.bytes_not_zero("PhysicalDrive1", 16), 0),
    "enable_hibernation": (lambda os: os.enable_hibernation("GC-SWAP"), True),
    "program_output": (lambda os: os.program_output("count-1", limit=99), OUTPUT),
    "start_program": (lambda os: os.start_program(COUNTING, "count-1", ["5"]), 4242),
    "load": (lambda os: os.load(), 97.0),
    "runs": (lambda os: os.runs("word"), True),
}
"""What is asked, and what Server 2022 answers."""

ACTS: dict[str, tuple[Ask, tuple[str, ...]]] = {
    "sync": (lambda os: os.sync(), ("sync",)),
    "set_uefi_variable": (
        lambda os: os.set_uefi_variable("Mark", EFI, b"kept"),
        ("firmware", "write", "Mark", f"{{{EFI}}}", "a2VwdA=="),
    ),
    "add_boot_argument": (
        lambda os: os.add_boot_argument("guestcert.mark=1"),
        ("boot_argument", "guestcert.mark=1"),
    ),
    "write_file": (lambda os: os.write_file("before", "kept"), ("write_file", "before", "kept")),
    "write_marker": (lambda os: os.write_marker("first"), ("markers", "leave", "first")),
    "prepare_hibernation": (lambda os: os.prepare_hibernation("GC-SWAP"), ("hibernation",)),
}
"""What is asked, and the script that is run with its values."""

STARTS: dict[str, tuple[Ask, tuple[str, ...]]] = {
    "crash": (lambda os: os.crash(after=3), ("crash", "", "3")),
    "hang": (lambda os: os.hang(), ("hang", "")),
}
"""What is asked, and the script that goes on by itself with its values."""


def asking(system: str = "server-2022", **fields: Any) -> tuple[WindowsOs, RecordedWindows]:
    """A guest, and what runs its programs."""
    run = RecordedWindows(system, **fields)
    return WindowsOs(run, (10, 0)), run


def saying(said: object, **fields: Any) -> WindowsOs:
    """A guest that says one thing to everything."""
    text = said if isinstance(said, bytes) else json.dumps(said).encode()
    return asking(reply=text, **fields)[0]
