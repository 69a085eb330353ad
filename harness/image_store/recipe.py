"""Recipes: how base images are obtained, one YAML file each under images/."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import Field

from harness.errors import BadFileError, UsageError
from harness.profiles.documents import Document, nearest, validated
from harness.profiles.inheriting import Families
from harness.profiles.located import read_located
from harness.profiles.model import Profile
from harness.profiles.places import recipes_folder


class Distribution(StrEnum):
    """Distributions whose archives mmdebstrap can build from."""

    DEBIAN = "debian"


class Recipe(Document):
    """A bootstrap from a distribution's packages onto a disk that boots by itself."""

    id: str
    kind: Literal["bootstrap"]
    distribution: Distribution
    suite: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    architecture: str = Field(pattern=r"^[a-z][a-z0-9]*$")
    disk_gib: int = Field(ge=2, le=64)
    packages: tuple[str, ...] = Field(min_length=1)


def load_recipe(identifier: str, folder: Path | None = None) -> Recipe:
    """The recipe of that id; raises UsageError where there is none, BadFileError where wrong."""
    folder = folder or recipes_folder()
    known = recipe_ids(folder)
    if identifier not in known:
        raise UsageError(
            f"there is no recipe {identifier!r}",
            remedy=nearest(identifier, known) or f"one of {', '.join(known)}",
        )
    problems: list[BadFileError] = []
    located = Families(folder / "families").inherited(read_located(folder / f"{identifier}.yaml"))
    recipe = validated(located, Recipe, problems)
    if recipe is None:
        raise problems[0]
    return recipe


def recipe_of(profile: Profile) -> str:
    """The recipe that makes the guest's base image; raises UsageError where there is none."""
    if profile.recipe is None:
        raise UsageError(
            f"there is no recipe that makes an image of {profile.id}",
            remedy=f"give your own build of it: guestcert certify {profile.id} --image FILE",
        )
    return profile.recipe


def recipe_ids(folder: Path | None = None) -> list[str]:
    """The ids of all recipes."""
    return sorted(file.stem for file in (folder or recipes_folder()).glob("*.yaml"))
