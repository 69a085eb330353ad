"""The OS database (osinfo-db): its entries, and the identification of media.

The format is libosinfo's (https://libosinfo.org); a medium matches an entry if every pattern of
the entry is found in the medium's labels, as in libosinfo.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import parse

from harness.errors import HarnessError

DATABASE = Path("/usr/share/osinfo")

PATTERNS = ("volume-id", "system-id", "publisher-id", "application-id")
"""The labels of a medium that the database describes, by its names."""


@dataclass(frozen=True)
class OsEntry:
    """One OS of the database, with the OSes that it derives from."""

    element: Element
    parents: tuple[OsEntry, ...]

    @property
    def identifier(self) -> str:
        """The id, as profiles refer to it."""
        return self.element.get("id", "")

    @property
    def name(self) -> str:
        """The display name."""
        return self.element.findtext("name") or self.identifier

    def day(self, name: str) -> date | None:
        """`release-date` or `eol-date`; these are not inherited."""
        text = self.element.findtext(name)
        return date.fromisoformat(text) if text else None


@dataclass(frozen=True)
class MediumMatch:
    """An OS that a medium may install, on an architecture; `score`: patterns that matched."""

    os: OsEntry
    architecture: str
    score: int


class Database:
    """All OSes of the database by id. Raises HarnessError if it is not installed."""

    def __init__(self, folder: Path = DATABASE) -> None:
        self.folder = folder
        self._entries: dict[str, OsEntry] = {}

    @cached_property
    def version(self) -> str:
        """The version of the database, a date such as 20221203."""
        return (self.folder / "VERSION").read_text(encoding="utf-8").strip()

    def find(self, identifier: str) -> OsEntry | None:
        """The OS with that id, or None."""
        if identifier not in self._elements:
            return None
        if identifier not in self._entries:
            element = self._elements[identifier]
            links = [*element.findall("derives-from"), *element.findall("clones")]
            parents = [self.find(link.get("id", "")) for link in links]
            entry = OsEntry(element, tuple(parent for parent in parents if parent))
            self._entries[identifier] = entry
        return self._entries[identifier]

    def identify(self, words: dict[str, str], size: int) -> list[MediumMatch]:
        """The OSes whose medium has these labels (by PATTERNS) and this size in bytes.

        The likeliest first; of several releases with the same labels, the newest.
        """
        matches = []
        for identifier, element in self._elements.items():
            for medium in element.findall("media"):
                score = _score(medium, words, size)
                entry = self.find(identifier) if score else None
                if entry is not None:
                    matches.append(MediumMatch(entry, medium.get("arch", ""), score))
        matches.sort(key=lambda m: (m.score, m.os.day("release-date") or date.min), reverse=True)
        return matches

    @cached_property
    def _elements(self) -> dict[str, Element]:
        files = sorted(self.folder.glob("os/*/*.xml"))
        if not files:
            raise HarnessError(
                f"the OS database is not at {self.folder}", remedy="install the package osinfo-db"
            )
        found: dict[str, Element] = {}
        for file in files:
            root = parse(file).getroot()
            if root is not None:
                found |= {element.get("id", ""): element for element in root.findall("os")}
        return found


def _score(medium: Element, words: dict[str, str], size: int) -> int:
    """The number of matching patterns of a medium entry; 0 if any fails or there are none."""
    iso = medium.find("iso")
    if iso is None:
        return 0
    wanted_size = iso.findtext("volume-size")
    if wanted_size is not None and int(wanted_size) != size:
        return 0
    patterns = [(name, iso.findtext(name)) for name in PATTERNS]
    named = [(name, pattern) for name, pattern in patterns if pattern]
    if not all(re.search(pattern, words.get(name, "")) for name, pattern in named):
        return 0
    return len(named) + (wanted_size is not None)
