"""Checks a profile against its file name, the catalogue, the recipes and the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.errors import BadFileError
from harness.features.catalogue import load_catalogue
from harness.profiles.documents import nearest
from harness.profiles.model import Profile
from harness.profiles.places import project_root, recipes_folder
from harness.profiles.source_map import Located


def crossed(profile: Profile, located: Located, file: Path) -> list[BadFileError]:
    """Every problem of a profile that its model cannot detect."""
    return [
        *_misnamed(profile, located, file),
        *_unknown_features(located),
        *_unknown_sources(profile, located),
        *_unreachable_sources(located),
        *_missing_recipe(profile, located),
    ]


def _misnamed(profile: Profile, located: Located, file: Path) -> Iterator[BadFileError]:
    """A file's name is the id of its profile, or the prefix of the ids of its series."""
    if profile.id != file.stem and not profile.id.startswith((f"{file.stem}.", f"{file.stem}-")):
        words = f"{profile.id!r} does not start with the file's name"
        yield located.at(["id"]).problem("id", words, remedy=file.stem)


def _unknown_features(located: Located) -> Iterator[BadFileError]:
    known = [feature.id for feature in load_catalogue()]
    named = [
        ("claims", feature)
        for entry in located.at(["claims"]).items()
        for feature in entry.at(["features"]).items()
    ]
    named += [
        ("known_issues", issue.at(["feature"])) for issue in located.at(["known_issues"]).items()
    ]
    for field, feature in named:
        if feature.value not in known:
            yield feature.problem(
                field,
                f"{feature.value!r} is not a feature of the catalogue",
                remedy=nearest(str(feature.value), known) or "suites/catalogue.yaml lists them",
            )


def _unknown_sources(profile: Profile, located: Located) -> Iterator[BadFileError]:
    """Every reference to a source is a key of the profile's sources."""
    lists = ("claims", "differences")
    holders = [("lifecycle",), ("editions",), ("hyperv",), ("windows",), ("agent",)]
    places: list[tuple[str | int, ...]] = [(*holder, "source") for holder in holders]
    for name in lists:
        count = len(located.at([name]).items())
        places += [(name, index, "source") for index in range(count)]
    for place in places:
        found = located.at(place)
        if isinstance(found.value, str) and found.value not in profile.sources:
            yield found.problem(
                ".".join(map(str, place)),
                f"{found.value!r} is not a key of sources",
                remedy=nearest(found.value, list(profile.sources)) or "add it to sources",
            )


def _unreachable_sources(located: Located) -> Iterator[BadFileError]:
    """A source is a URL, or a document of this project."""
    for name, source in located.at(["sources"]).fields().items():
        text = str(source.value)
        own = text.startswith("docs/") and (project_root() / text).is_file()
        if not own and not text.startswith(("https://", "http://")):
            words = f"{text!r} is neither a URL nor a file under docs/"
            yield source.problem(
                f"sources.{name}", words, remedy="name the page that documents the fact"
            )


def _missing_recipe(profile: Profile, located: Located) -> Iterator[BadFileError]:
    if profile.recipe is None:
        return
    recipes = sorted(path.stem for path in recipes_folder().glob("*.yaml"))
    if profile.recipe not in recipes:
        yield located.at(["recipe"]).problem(
            "recipe",
            f"there is no recipe {profile.recipe!r} in images/",
            remedy=nearest(profile.recipe, recipes) or f"one of {', '.join(recipes)}",
        )
