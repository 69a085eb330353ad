"""Device inventory of a QEMU machine: exactly the devices that a guest must see.

Sources: QEMU's docs/specs/pci-ids.rst, and the virtio specification, 4.1.2 (ids of virtio devices,
modern 1040h + type; transitional 1000h to 103Fh).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from harness.hypervisors.definitions import MachineDefinition

Alternatives = frozenset[str]
"""Ids under which one device may appear."""

VIRTIO = {
    "net": frozenset({"1af4:1041", "1af4:1000"}),
    "block": frozenset({"1af4:1042", "1af4:1001"}),
    "console": frozenset({"1af4:1043", "1af4:1003"}),
    "entropy": frozenset({"1af4:1044", "1af4:1005"}),
    "balloon": frozenset({"1af4:1045", "1af4:1002"}),
    "scsi": frozenset({"1af4:1048", "1af4:1004"}),
}

NICS = {
    "virtio": VIRTIO["net"],
    "e1000e": frozenset({"8086:10d3"}),
    "e1000": frozenset({"8086:100e"}),
    "rtl8139": frozenset({"10ec:8139"}),
}

WATCHDOG = frozenset({"8086:25ab"})
VGA = frozenset({"1234:1111"})
ROOT_PORT = frozenset({"1b36:000c"})
"""A bridge that only reserves a slot for a device: q35 has one for each, and spare ones."""

PORTS = ("org.qemu.guest_agent.0",)
"""Names of the virtio serial ports of every machine."""

CHIPSET = {
    "q35": ("8086:29c0", "8086:2918", "8086:2922", "8086:2930"),  # host, LPC, AHCI, SMBus
    "pc": ("8086:1237", "8086:7000", "8086:7010", "8086:7113"),  # host, ISA, IDE, ACPI
}


def expected_pci(definition: MachineDefinition) -> Counter[Alternatives]:
    """Number of devices by id that the guest must see, without bridges that reserve slots."""
    expected: Counter[Alternatives] = Counter()
    expected.update(frozenset({chip}) for chip in CHIPSET[definition.machine_type])
    expected.update(NICS[nic.model] for nic in definition.nics)
    expected.update(VIRTIO["block"] for disk in definition.disks if disk.bus == "virtio")
    if any(disk.bus == "scsi" for disk in definition.disks):
        expected[VIRTIO["scsi"]] += 1
    if definition.watchdog:
        expected[WATCHDOG] += 1
    for device in (VIRTIO["console"], VIRTIO["entropy"], VIRTIO["balloon"], VGA):
        expected[device] += 1
    return expected


def unexpected(
    seen: Mapping[str, int], expected: Mapping[Alternatives, int]
) -> tuple[dict[str, int], dict[str, int]]:
    """Devices seen but not expected, and devices expected but missing; ids with counts."""
    left = Counter(seen)
    for bridge in ROOT_PORT:
        del left[bridge]
    missing: dict[str, int] = {}
    for alternatives, count in expected.items():
        for _ in range(count):
            found = next((i for i in sorted(alternatives) if left[i] > 0), None)
            if found is None:
                name = " or ".join(sorted(alternatives))
                missing[name] = missing.get(name, 0) + 1
            else:
                left[found] -= 1
    return {identifier: n for identifier, n in left.items() if n > 0}, missing
