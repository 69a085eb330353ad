"""The shelf of installation media: the user's ISO files, and the guests that they install."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from harness.errors import UsageError
from harness.image_store.files import replace_file
from harness.image_store.iso import describe_iso
from harness.profiles.hardware import Architecture
from harness.profiles.model import Method, Profile
from harness.profiles.osinfo import Database
from harness.text import natural_order

FROM_MEDIA = frozenset(Method) - {Method.BOOTSTRAP, Method.CLOUD_IMAGE, Method.IMPORT}
"""The methods that start from an installation medium."""

ARCHITECTURES = {"i386": Architecture.I686, "i586": Architecture.I686}
"""The OS database's other names of architectures."""


class Medium(BaseModel):
    """One ISO file, and the profiles that it installs, the likeliest first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    size: int
    sha256: str
    volume: str
    bootable: bool
    profiles: tuple[str, ...]

    @property
    def damage(self) -> str:
        """The reason why the file is not usable now; empty if it is."""
        if not self.path.exists():
            return "is gone"
        if self.path.stat().st_size != self.size:
            return "changed after it was added"
        return ""

    @property
    def trouble(self) -> str:
        """The reason why it cannot install anything; empty if it can."""
        return self.damage or ("" if self.bootable else "is not bootable")


DRIVERS = "virtio-win"
"""Prefixes of the volume ids of media with Windows drivers, which do not install an OS."""

SHELF = TypeAdapter(tuple[Medium, ...])


@dataclass(frozen=True)
class Identified:
    """A medium's description, and its matches in the OS database."""

    volume: str
    bootable: bool
    names: tuple[str, ...]
    profiles: tuple[str, ...]


def identify(file: Path, profiles: Sequence[Profile], database: Database) -> Identified:
    """Identify the profiles that a medium installs.

    Of profiles for one OS of the database, such as service packs, the newest comes first. Raises
    UsageError if it is not an ISO image, or damaged.
    """
    described = describe_iso(file)
    matches = database.identify(described.words, described.size)
    names = dict.fromkeys(f"{match.os.name} ({match.architecture})" for match in matches)
    installable = [profile for profile in profiles if FROM_MEDIA & set(profile.provisioning)]
    installable.sort(key=lambda profile: profile.lifecycle.released or date.min, reverse=True)
    linked = [
        profile.id
        for match in matches
        for profile in installable
        if profile.osinfo.id == match.os.identifier
        and profile.architecture == ARCHITECTURES.get(match.architecture, match.architecture)
    ]
    return Identified(
        described.words["volume-id"],
        described.bootable,
        tuple(names),
        tuple(dict.fromkeys(linked)),
    )


class MediaShelf:
    """The added media, listed in one file of the store; the ISO files stay where they are."""

    def __init__(self, root: Path) -> None:
        self._file = root / "media.json"

    def add(
        self,
        file: Path,
        profiles: Sequence[Profile],
        database: Database,
        guest: Profile | None = None,
    ) -> Medium:
        """Put a medium on the shelf, replacing the entry of the same path.

        `guest`, the user's choice, overrides the OS database. Raises UsageError if it is not an
        ISO image, damaged, or unknown.
        """
        path = file.resolve()
        known = identify(path, profiles, database)
        if guest is not None:
            known = dataclasses.replace(known, profiles=(guest.id,))
        if not known.profiles and not known.volume.startswith(DRIVERS):
            seen = f"it is {known.names[0]}" if known.names else f"its volume id {known.volume!r}"
            raise UsageError(
                f"no profile can be installed from {file}: {seen}"
                + ("" if known.names else " is not in the OS database"),
                remedy="name its guest with --guest, or update the package osinfo-db",
            )
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        medium = Medium(
            path=path,
            size=path.stat().st_size,
            sha256=digest,
            volume=known.volume,
            bootable=known.bootable,
            profiles=known.profiles,
        )
        self.put(medium)
        return medium

    def put(self, medium: Medium) -> None:
        """Record a medium, replacing the entry of the same path."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._file.with_suffix(".lock")):
            others = [other for other in self.media() if other.path != medium.path]
            replace_file(self._file, SHELF.dump_json((*others, medium), indent=1))

    def media(self) -> tuple[Medium, ...]:
        """All media on the shelf. Raises UsageError if the shelf's file is invalid."""
        try:
            return SHELF.validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return ()
        except ValidationError as error:
            raise UsageError(
                f"the list of media {self._file} is invalid",
                remedy="remove it, and add the media again",
            ) from error

    def drivers(self) -> Medium | None:
        """The usable medium with drivers for Windows, the newest by its name."""
        found = [m for m in self.media() if m.volume.startswith(DRIVERS) and not m.damage]
        return max(found, key=lambda medium: natural_order(medium.volume), default=None)

    def for_profile(self, identifier: str) -> Medium | None:
        """The usable medium of a profile, the likeliest match."""
        fits = [m for m in self.media() if identifier in m.profiles and not m.trouble]
        return min(fits, key=lambda medium: medium.profiles.index(identifier), default=None)
