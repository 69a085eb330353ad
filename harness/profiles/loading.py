"""Reads the profiles, all of them, and all that is wrong with them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from harness.errors import BadFileError
from harness.profiles.catalogue import load_catalogue
from harness.profiles.documents import nearest, try_document
from harness.profiles.model import Profile
from harness.profiles.places import profiles_folder, recipes_folder


def load_profiles(folder: Path | None = None) -> list[Profile]:
    """Every profile, by id; raises BadFileError for the first problem of any file."""
    profiles, problems = examine_profiles(folder)
    if problems:
        raise problems[0]
    return profiles


def examine_profiles(folder: Path | None = None) -> tuple[list[Profile], list[BadFileError]]:
    """Every profile that can be read, and every problem of every file."""
    folder = folder or profiles_folder()
    problems: list[BadFileError] = []
    profiles = []
    for file in sorted(folder.glob("*.yaml")):
        profile = try_document(file, Profile, problems)
        if profile is not None:
            problems += _crossed(file, profile)
            profiles.append(profile)
    if not profiles and not problems:
        problems.append(BadFileError(folder, None, "folder", "holds no profile"))
    return profiles, problems


def digest(profile: Profile) -> str:
    """The profile's content as a digest: it changes when a fact changes, not with its layout."""
    return hashlib.sha256(profile.model_dump_json().encode()).hexdigest()


def _crossed(file: Path, profile: Profile) -> list[BadFileError]:
    """What is wrong with a profile seen beside its file name, the catalogue and the recipes."""
    problems = []
    if profile.id != file.stem:
        problems.append(
            BadFileError(file, _line(file, "id:"), "id", f"{profile.id!r} is not the file's name")
        )
    known = [feature.id for feature in load_catalogue()]
    named = [("claims", f) for entry in profile.claims for f in entry.features]
    named += [("known_issues", issue.feature) for issue in profile.known_issues]
    for field, feature in named:
        if feature not in known:
            problems.append(
                BadFileError(
                    file,
                    _line(file, feature),
                    field,
                    f"{feature!r} is no feature of the catalogue",
                    remedy=nearest(feature, known),
                )
            )
    recipes = sorted(path.stem for path in recipes_folder().glob("*.yaml"))
    if profile.recipe not in recipes:
        problems.append(
            BadFileError(
                file,
                _line(file, "recipe:"),
                "recipe",
                f"there is no recipe {profile.recipe!r} in images/",
                remedy=nearest(profile.recipe, recipes),
            )
        )
    return problems


def _line(file: Path, text: str) -> int | None:
    """The first line that holds `text`, not as a part of a longer word."""
    word = re.compile(rf"(?<![\w.-]){re.escape(text)}(?![\w.-])")
    lines = file.read_text(encoding="utf-8").splitlines()
    return next((number for number, line in enumerate(lines, 1) if word.search(line)), None)
