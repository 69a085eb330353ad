"""The operations of a Windows guest, with Server 2022's answers in tests/data/windows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, get_type_hints

from harness.guests.os.contract import GuestOs
from harness.guests.os.cpus import Processor
from harness.guests.os.disks import GuestDisk
from harness.guests.os.lifecycle import Ending
from harness.guests.os.network import GuestNic
from harness.guests.os.product import OsRelease
from harness.guests.windows.system import WindowsOs
from harness.workloads.program import program
from tests.fakes.windows import RecordedWindows

GIB = 2**30
COUNTING = program("counting")
OUTPUT = '{"event": "count", "value": 41}\n'
EFI = "8be4df61-93ca-11d2-aa0d-00e098032b8c"

Ask = Callable[[WindowsOs], object]

FACTS: dict[str, tuple[Ask, object]] = {
    "lifecycle.boot_id": (
        lambda os: os.lifecycle.boot_id(),
        "2026-11-25T02:11:09.5000000Z 3f0c6f0e-6a7e-4be0-a0e5-0a8f4a6a2c11",
    ),
    "lifecycle.uptime": (lambda os: os.lifecycle.uptime(), 754.321),
    "lifecycle.clock": (lambda os: os.lifecycle.clock(), 1795572345678.12 / 1000),
    "lifecycle.startup": (lambda os: os.lifecycle.startup(), (14.233, 31.8)),
    "lifecycle.settled": (lambda os: os.lifecycle.settled(), ""),
    "product.release": (
        lambda os: os.product.release(),
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
    "product.packages": (
        lambda os: os.product.packages(limit=1000),
        ["KB5011497", "KB5012170", "QEMU guest agent 107.0.0"],
    ),
    "lifecycle.ended_cleanly": (lambda os: os.lifecycle.ended_cleanly(b"", Ending.REBOOT), True),
    "services.running": (lambda os: os.services.running(), {"EventLog", "Dhcp", "QEMU-GA"}),
    "services.failed": (lambda os: os.services.failed(), ["Spooler"]),
    "cpus.online": (lambda os: os.cpus.online(), 2),
    "cpus.present": (lambda os: os.cpus.present(), 2),
    "cpus.missing_flags": (
        lambda os: os.cpus.missing_flags({"sse2", "avx", "pni", "unheard-of"}),
        {"avx"},
    ),
    "cpus.topology": (
        lambda os: os.cpus.topology(),
        [Processor(0, 0, 0, "0"), Processor(1, 0, 1, "1")],
    ),
    "cpus.numa_nodes": (lambda os: os.cpus.numa_nodes(), {0: (2, 2096620 * 1024)}),
    "cpus.runs_on": (lambda os: os.cpus.runs_on(1), 1),
    "memory.available": (lambda os: os.memory.available(), 1200000 * 1024),
    "memory.total": (lambda os: os.memory.total(), 2096620 * 1024),
    "disks.all": (
        lambda os: os.disks.all(),
        [
            GuestDisk("PhysicalDrive0", "GC-ROOT", 40 * GIB, "virtio_blk"),
            GuestDisk("PhysicalDrive1", "GC-DATA", GIB, "virtio_scsi"),
        ],
    ),
    "disks.drivers": (
        lambda os: os.disks.drivers("PhysicalDrive0"),
        ["disk", "virtio_blk", "pci", "acpi"],
    ),
    "disks.root": (lambda os: os.disks.root(), "PhysicalDrive0"),
    "network.nics": (
        lambda os: os.network.nics(),
        [
            GuestNic(
                "Ethernet",
                "52:54:00:12:34:56",
                "virtio_net",
                ("10.217.1.27/24", "fe80::5054:ff:fe12:3456/64", "fd00:217:1::27/128"),
            )
        ],
    ),
    "devices.smbios": (lambda os: os.devices.smbios("product_serial"), "GC-0001"),
    "devices.pci": (
        lambda os: os.devices.pci(),
        ["1af4:1041", "1af4:1042", "1af4:1043", "1af4:1044", "1af4:1045", "8086:29c0"],
    ),
    "devices.usb": (lambda os: os.devices.usb(), ["0627:0001"]),
    "devices.virtio_drivers": (
        lambda os: os.devices.virtio_drivers(),
        ["-", "virtio_balloon", "virtio_blk", "virtio_console", "virtio_net"],
    ),
    "devices.virtio_ports": (lambda os: os.devices.virtio_ports(), ["org.qemu.guest_agent.0"]),
    "devices.has_acpi_driver": (lambda os: os.devices.has_acpi_driver("GenCounter"), True),
    "devices.unload_driver": (lambda os: os.devices.unload_driver("virtio_rng"), True),
    "devices.load_driver": (lambda os: os.devices.load_driver("virtio_rng"), True),
    "network.default_routes": (lambda os: os.network.default_routes(), ["10.217.1.1"]),
    "network.resolve": (
        lambda os: os.network.resolve("host.guestcert"),
        ["10.217.1.1", "fd00:217:1::1"],
    ),
    "network.identity": (
        lambda os: os.network.identity(),
        {
            "SID": {"S-1-5-21-1004336348-1177238915-682003330"},
            "machine GUID": {"9f6d5a52-2f7d-4e9d-9b60-0f1e2d3c4b5a"},
            "MAC addresses": {"52:54:00:12:34:56"},
            "computer name": {"GC-2022"},
        },
    ),
    "firmware.is_uefi": (lambda os: os.firmware.is_uefi(), True),
    "firmware.is_reported": (lambda os: os.firmware.is_reported(), True),
    "firmware.variable": (lambda os: os.firmware.variable("BootCurrent", EFI), b"\1\0"),
    "firmware.secure_boot": (lambda os: os.firmware.secure_boot(), False),
    "tpm.version": (lambda os: os.tpm.version(), 0),
    "tpm.exchange": (
        lambda os: os.tpm.exchange(b"command"),
        b"\x80\x01\x00\x00\x00\x0a\x00\x00\x00\x00",
    ),
    "firmware.has_boot_argument": (
        lambda os: os.firmware.has_boot_argument("guestcert.mark=1"),
        True,
    ),
    "files.root_is_writable": (lambda os: os.files.root_is_writable(), True),
    "files.content": (lambda os: os.files.content("before"), "kept"),
    "files.markers_on_disk": (lambda os: os.files.markers_on_disk(), {"first", "second"}),
    "files.markers_in_memory": (lambda os: os.files.markers_in_memory(), {"first"}),
    "disks.fill_file": (lambda os: os.disks.fill_file("mark"), 20971520),
    "disks.has_filled_file": (lambda os: os.disks.has_filled_file(), True),
    "disks.holds": (lambda os: os.disks.holds("mark", start=512, mebibytes=1), True),
    "disks.bytes_not_zero": (lambda os: os.disks.bytes_not_zero("PhysicalDrive1", 16), 0),
    "hibernation.enable": (lambda os: os.hibernation.enable("GC-SWAP"), True),
    "background.output": (lambda os: os.background.output("count-1", limit=99), OUTPUT),
    "background.start": (lambda os: os.background.start(COUNTING, "count-1", ["5"]), 4242),
    "cpus.load": (lambda os: os.cpus.load(), 97.0),
    "background.runs": (lambda os: os.background.runs("word"), True),
}
"""Operations, and their results on Server 2022."""

ACTS: dict[str, tuple[Ask, tuple[str, ...]]] = {
    "disks.sync": (lambda os: os.disks.sync(), ("sync",)),
    "firmware.set_variable": (
        lambda os: os.firmware.set_variable("Mark", EFI, b"kept"),
        ("firmware", "write", "Mark", f"{{{EFI}}}", "a2VwdA=="),
    ),
    "firmware.add_boot_argument": (
        lambda os: os.firmware.add_boot_argument("guestcert.mark=1"),
        ("boot_argument", "guestcert.mark=1"),
    ),
    "files.write": (lambda os: os.files.write("before", "kept"), ("write_file", "before", "kept")),
    "files.write_marker": (
        lambda os: os.files.write_marker("first"),
        ("markers", "leave", "first"),
    ),
    "hibernation.prepare": (lambda os: os.hibernation.prepare("GC-SWAP"), ("hibernation",)),
}
"""Operations, and the script that each runs with its values."""

STARTS: dict[str, tuple[Ask, tuple[str, ...]]] = {
    "lifecycle.crash": (lambda os: os.lifecycle.crash(after=3), ("crash", "", "3")),
    "lifecycle.hang": (lambda os: os.lifecycle.hang(), ("hang", "")),
}
"""Operations that start a script in the background, and the script with its values."""


def operations() -> dict[str, type]:
    """Every operation of the guest OS interface, as `topic.operation`; its topic's contract."""
    found: dict[str, type] = {}
    for topic in (name for name in dir(GuestOs) if not name.startswith("_")):
        contract = get_type_hints(getattr(GuestOs, topic).fget)["return"]
        names = (name for name in dir(contract) if not name.startswith("_"))
        found |= {f"{topic}.{name}": contract for name in names}
    return found


def asking(system: str = "server-2022", **fields: Any) -> tuple[WindowsOs, RecordedWindows]:
    """A guest, and what runs its programs."""
    run = RecordedWindows(system, **fields)
    return WindowsOs(run, (10, 0)), run


def saying(reply: object, **fields: Any) -> WindowsOs:
    """A guest that replies the same to everything."""
    text = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
    return asking(reply=text, **fields)[0]
