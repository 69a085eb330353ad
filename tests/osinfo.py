"""Reads osinfo-db as its files say it, for the cross-check of the profiles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import parse

DATABASE = Path("/usr/share/osinfo")
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
    """The least that an OS needs, in MiB and GiB; None where the database does not say."""

    memory_mib: float | None
    disk_gib: float | None


@dataclass(frozen=True)
class OsEntry:
    """One OS of the database with what it inherits."""

    element: Element
    parents: tuple[OsEntry, ...]

    def day(self, name: str) -> date | None:
        """`release-date` or `eol-date`; these are not inherited."""
        text = self.element.findtext(name)
        return date.fromisoformat(text) if text else None

    def minimum(self, architecture: str) -> Amounts:
        """Of the architecture's own entry, else of the one for all."""
        by_architecture = {r.get("arch"): r for r in self.element.findall("resources")}
        resources = by_architecture.get(architecture, by_architecture.get(ALL_ARCHITECTURES))
        own = resources.find("minimum") if resources is not None else None
        if own is None:
            inherits = resources is not None and resources.get("inherit") == "true"
            given = [p.minimum(architecture) for p in self.parents if inherits]
            return given[0] if given else Amounts(None, None)
        return Amounts(_scaled(own, "ram", 2**20), _scaled(own, "storage", 2**30))

    def devices(self) -> set[str]:
        """The devices of DEVICES that it drives, by itself or with a driver known there."""
        found = set().union(*(parent.devices() for parent in self.parents))
        places = [*self.element.findall("devices"), *self.element.findall("driver/devices")]
        for device in (device for place in places for device in place.findall("device")):
            word = DEVICES.get(device.get("id", ""))
            if word is None:
                continue
            if device.get("supported") == "false":
                found.discard(word)
            else:
                found.add(word)
        return found


class Database:
    """All OSes of the database by id."""

    def __init__(self, folder: Path = DATABASE) -> None:
        self.folder = folder
        self._entries: dict[str, OsEntry] = {}

    @cached_property
    def version(self) -> str:
        """The day of the database, as 20221203."""
        return (self.folder / "VERSION").read_text(encoding="utf-8").strip()

    def find(self, identifier: str) -> OsEntry | None:
        """The OS of that id; None where the database has none."""
        if identifier not in self._elements:
            return None
        if identifier not in self._entries:
            element = self._elements[identifier]
            links = [*element.findall("derives-from"), *element.findall("clones")]
            parents = [self.find(link.get("id", "")) for link in links]
            entry = OsEntry(element, tuple(parent for parent in parents if parent))
            self._entries[identifier] = entry
        return self._entries[identifier]

    @cached_property
    def _elements(self) -> dict[str, Element]:
        found: dict[str, Element] = {}
        for file in sorted(self.folder.glob("os/*/*.xml")):
            root = parse(file).getroot()
            if root is not None:
                found |= {element.get("id", ""): element for element in root.findall("os")}
        return found


def _scaled(element: Element, name: str, unit: int) -> float | None:
    text = element.findtext(name)
    return int(text) / unit if text else None
