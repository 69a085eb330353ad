"""The shelf of installation media: the user's ISO files, where they are and what they install."""

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
"""The methods that begin with an installation medium."""

ARCHITECTURES = {"i386": Architecture.I686, "i586": Architecture.I686}
"""What the OS database also calls an architecture."""


class Medium(BaseModel):
    """One ISO file: what it is, and the profiles that it installs, the likeliest first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    size: int
    sha256: str
    volume: str
    bootable: bool
    profiles: tuple[str, ...]

    @property
    def damage(self) -> str:
        """Why the file can not be read now, by a look at it; empty where it can."""
        if not self.path.exists():
            return "is gone"
        if self.path.stat().st_size != self.size:
            return "has changed since it was added"
        return ""

    @property
    def trouble(self) -> str:
        """Why nothing can be installed from it; empty where something can."""
        return self.damage or ("" if self.bootable else "is not bootable")


DRIVERS = "virtio-win"
"""What the volume ids of the media with Windows drivers begin with; they install no OS."""

SHELF = TypeAdapter(tuple[Medium, ...])


@dataclass(frozen=True)
class Identified:
    """What a medium says of itself, and what the OS database makes of it."""

    volume: str
    bootable: bool
    names: tuple[str, ...]
    profiles: tuple[str, ...]


def identify(file: Path, profiles: Sequence[Profile], database: Database) -> Identified:
    """What a medium installs, by profiles that can be installed from one at all.

    Of profiles for one OS of the database, such as service packs, the newest comes first. Raises
    UsageError where it is not an ISO image, or a damaged one.
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
    """The media that were added, listed in one file of the store; the ISO files are not moved."""

    def __init__(self, root: Path) -> None:
        self._file = root / "media.json"

    def add(
        self,
        file: Path,
        profiles: Sequence[Profile],
        database: Database,
        guest: Profile | None = None,
    ) -> Medium:
        """Put a medium on the shelf, in the place of what was there under its path.

        The user's word, `guest`, goes before the OS database's. Raises UsageError where it is no
        ISO image, a damaged one, or one that nobody knows.
        """
        path = file.resolve()
        known = identify(path, profiles, database)
        if guest is not None:
            known = dataclasses.replace(known, profiles=(guest.id,))
        if not known.profiles and not known.volume.startswith(DRIVERS):
            seen = f"it is {known.names[0]}" if known.names else f"its volume id {known.volume!r}"
            raise UsageError(
                f"no profile can be installed from {file}: {seen}"
                + ("" if known.names else " is none that the OS database has"),
                remedy="name the guest that it installs (--guest), or update the package osinfo-db",
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
        """Note a medium, in the place of what was there under its path."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._file.with_suffix(".lock")):
            others = [other for other in self.media() if other.path != medium.path]
            replace_file(self._file, SHELF.dump_json((*others, medium), indent=1))

    def media(self) -> tuple[Medium, ...]:
        """Everything on the shelf; raises UsageError where its file is not ours any more."""
        try:
            return SHELF.validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return ()
        except ValidationError as error:
            raise UsageError(
                f"the list of media {self._file} can not be understood",
                remedy="remove it, and add the media again",
            ) from error

    def drivers(self) -> Medium | None:
        """The usable medium with drivers for Windows, the newest by its name."""
        found = [m for m in self.media() if m.volume.startswith(DRIVERS) and not m.damage]
        return max(found, key=lambda medium: natural_order(medium.volume), default=None)

    def for_profile(self, identifier: str) -> Medium | None:
        """The usable medium of a profile, the one that is the likeliest to be just that."""
        fits = [m for m in self.media() if identifier in m.profiles and not m.trouble]
        return min(fits, key=lambda medium: medium.profiles.index(identifier), default=None)
