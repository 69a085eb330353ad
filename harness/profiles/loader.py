"""Loads the profiles, and collects their problems."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import BadFileError
from harness.profiles.cross_checks import crossed
from harness.profiles.documents import validated
from harness.profiles.inheritance import Families
from harness.profiles.merge import merged
from harness.profiles.model import Profile
from harness.profiles.places import profiles_folder
from harness.profiles.source_map import Located, read_located
from harness.text import natural_order

FILLED = (("id",), ("name",), ("osinfo", "id"))
"""Fields of a series in which `{release}` is replaced by the entry's release."""


@dataclass(frozen=True)
class Resolved:
    """A profile with inherited values, and the source position of each value."""

    profile: Profile
    located: Located


@dataclass
class Examined:
    """The content of a profiles folder: readable profiles by id, and every problem once."""

    resolved: list[Resolved] = field(default_factory=list)
    problems: list[BadFileError] = field(default_factory=list)
    broken: dict[str, BadFileError] = field(default_factory=dict)

    def problem(self, found: BadFileError, profile: str | None = None) -> None:
        """Add a problem of a profile, which is then broken.

        A problem inherited from a family is added once, not for each child.
        """
        if profile is not None:
            self.broken.setdefault(profile, found)
        if str(found) not in [str(known) for known in self.problems]:
            self.problems.append(found)


def load_profiles(folder: Path | None = None) -> list[Profile]:
    """Every profile by id. Raises BadFileError for the first problem of any file."""
    return [resolved.profile for resolved in resolve_profiles(folder)]


@dataclass(frozen=True)
class Usable:
    """The valid profiles, and the first problem of each other one.

    `broken` has the problems by id, or by the file's name if the file has no id.
    """

    profiles: list[Profile]
    broken: dict[str, BadFileError]
    problems: list[BadFileError]


def usable_profiles(folder: Path | None = None) -> Usable:
    """Every valid profile: a broken file does not affect the others.

    Raises BadFileError if no profile is valid.
    """
    examined = examine_profiles(folder)
    broken = examined.broken
    profiles = [r.profile for r in examined.resolved if r.profile.id not in broken]
    if not profiles:
        raise examined.problems[0]
    return Usable(profiles, broken, examined.problems)


def resolve_profiles(folder: Path | None = None) -> list[Resolved]:
    """Every profile with its source map. Raises BadFileError for the first problem."""
    examined = examine_profiles(folder)
    if examined.problems:
        raise examined.problems[0]
    return examined.resolved


def examine_profiles(folder: Path | None = None) -> Examined:
    """Every readable profile, and every problem of every file."""
    folder = folder or profiles_folder()
    examined = Examined()
    families = Families(folder / "families")
    for file in sorted(folder.glob("*.yaml")):
        for located in _entries(file, families, examined):
            problems: list[BadFileError] = []
            profile = validated(located, Profile, problems)
            if profile is not None:
                problems = crossed(profile, located, file)
                examined.resolved.append(Resolved(profile, located))
            for problem in problems:
                identifier = located.at(["id"]).value
                examined.problem(problem, identifier if isinstance(identifier, str) else file.stem)
    for problem in families.unused():
        examined.problem(problem)
    _find_twins(examined)
    if not examined.resolved and not examined.problems:
        remedy = "git checkout guest_profiles"
        examined.problem(BadFileError(folder, None, "folder", "has no profiles", remedy=remedy))
    examined.resolved.sort(key=lambda resolved: natural_order(resolved.profile.id))
    return examined


def digest(profile: Profile) -> str:
    """The digest of the profile's content; independent of its layout."""
    return hashlib.sha256(profile.model_dump_json().encode()).hexdigest()


def _entries(file: Path, families: Families, examined: Examined) -> list[Located]:
    """The profiles of a file: one, or one for each release of a series."""
    try:
        own = read_located(file)
        whole = families.inherited(own)
        releases = whole.fields().get("releases")
        if releases is None:
            return [whole]
        return _series(whole, releases)
    except BadFileError as problem:
        examined.problem(problem, file.stem)
        return []


def _series(whole: Located, releases: Located) -> list[Located]:
    if not releases.items():
        raise releases.problem(
            "releases", "should be a list of at least one release", remedy="- {release: '12'}"
        )
    common = whole.replaced({k: v for k, v in whole.fields().items() if k != "releases"})
    entries = []
    for entry in releases.items():
        if not isinstance(entry.value, dict):
            raise entry.problem("releases", "should be a mapping", remedy="- {release: '12'}")
        entries.append(_filled(merged(common, entry)))
    return entries


def _filled(entry: Located) -> Located:
    """The entry with its release filled into the templates of the series."""
    release = entry.at(["release"]).value
    for path in FILLED:
        found = entry.at(path)
        if isinstance(found.value, str) and isinstance(release, str):
            text = found.value.replace("{release}", release)
            entry = _with(entry, path, found.replaced(text))
    return entry


def _with(located: Located, path: tuple[str, ...], value: Located) -> Located:
    if not path:
        return value
    inner = _with(located.fields()[path[0]], path[1:], value)
    return located.replaced(located.fields() | {path[0]: inner})


def _find_twins(examined: Examined) -> None:
    seen: dict[str, Located] = {}
    for resolved in examined.resolved:
        place = resolved.located.at(["id"])
        first = seen.setdefault(resolved.profile.id, place)
        if first is not place:
            words = f"{resolved.profile.id!r} is also the id of {first.file}:{first.line}"
            problem = place.problem("id", words, remedy="rename one of them")
            examined.problem(problem, resolved.profile.id)
