"""An OS's requirements and devices in osinfo-db, for the cross-check of the profiles."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from harness.profiles.osinfo import OsEntry

ALL_ARCHITECTURES = "all"

DEVICES = {
    "http://pcisig.com/pci/1af4/1001": "virtio disk",
    "http://pcisig.com/pci/1af4/1042": "virtio disk",
    "http://pcisig.com/pci/1af4/1004": "scsi disk",
    "http://pcisig.com/pci/1af4/1048": "scsi disk",
    "http://pcisig.com/pci/1af4/1000": "virtio NIC",
    "http://pcisig.com/pci/1af4/1041": "virtio NIC",
    "http://pcisig.com/pci/8086/100e": "e1000 NIC",
    "http://pcisig.com/pci/8086/10d3": "e1000e NIC",
    "http://pcisig.com/pci/10ec/8139": "rtl8139 NIC",
}
"""The devices of the database that a profile can prefer, in the profile's words."""


@dataclass(frozen=True)
class Amounts:
    """The minimum requirements of an OS, in MiB and GiB; None if the database has none."""

    memory_mib: float | None
    disk_gib: float | None


def minimum(entry: OsEntry, architecture: str) -> Amounts:
    """Of the architecture's own entry, else of the one for all."""
    by_architecture = {r.get("arch"): r for r in entry.element.findall("resources")}
    resources = by_architecture.get(architecture, by_architecture.get(ALL_ARCHITECTURES))
    own = resources.find("minimum") if resources is not None else None
    if own is None:
        inherits = resources is not None and resources.get("inherit") == "true"
        given = [minimum(parent, architecture) for parent in entry.parents if inherits]
        return given[0] if given else Amounts(None, None)
    return Amounts(_scaled(own, "ram", 2**20), _scaled(own, "storage", 2**30))


def devices(entry: OsEntry) -> set[str]:
    """The devices of DEVICES that it drives, by itself or with a driver known there."""
    found = set().union(*(devices(parent) for parent in entry.parents))
    places = [*entry.element.findall("devices"), *entry.element.findall("driver/devices")]
    for device in (device for place in places for device in place.findall("device")):
        word = DEVICES.get(device.get("id", ""))
        if word is None:
            continue
        if device.get("supported") == "false":
            found.discard(word)
        else:
            found.add(word)
    return found


def _scaled(element: Element, name: str, unit: int) -> float | None:
    text = element.findtext(name)
    return int(text) / unit if text else None
