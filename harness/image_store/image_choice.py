"""Chooses the recipe of a guest's base image: a requested one, its own, or an installation."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.errors import UsageError
from harness.image_store.cloud_image import downloads, users_image
from harness.image_store.media import FROM_MEDIA, MediaShelf
from harness.image_store.recipe import CloudImageRecipe, InstallRecipe, Recipe, load_recipe
from harness.profiles.model import Profile


def recipe_named(name: str, profiles: Iterable[Profile], root: Path) -> Recipe:
    """The recipe for the guest of that name, else the recipe of that name.

    Raises UsageError like `recipe_for`, or if there is neither.
    """
    for profile in profiles:
        if profile.id == name:
            return recipe_for(profile, root)
    return load_recipe(name)


def recipe_for(profile: Profile, root: Path, asked: str | None = None) -> Recipe:
    """The recipe `asked` for, else the profile's, else an installation from a medium on the shelf.

    A medium on the shelf precedes a recipe that waits for the user's download. Raises UsageError
    if there is no such recipe, or no way to an image; `root` is the store's root.
    """
    if asked is not None or profile.recipe is not None:
        recipe = load_recipe(asked or profile.recipe or "")
        if isinstance(recipe, InstallRecipe) and recipe.guest != profile.id:
            raise UsageError(
                f"the recipe {recipe.id} installs {recipe.guest}, and not {profile.id}",
                remedy=f"certify {recipe.guest} with it",
            )
        if asked is None and isinstance(recipe, CloudImageRecipe) and recipe.page is not None:
            return _downloaded_or_installed(profile, recipe, root)
        return recipe
    return _from_medium(profile, root)


def _downloaded_or_installed(profile: Profile, recipe: CloudImageRecipe, root: Path) -> Recipe:
    try:
        users_image(recipe, downloads(root))
    except UsageError as missing:
        if MediaShelf(root).for_profile(profile.id) is not None:
            return _from_medium(profile, root)
        if FROM_MEDIA & set(profile.provisioning):
            missing.remedy = f"{missing.remedy}, or guestcert media add FILE with its ISO file"
        raise
    return recipe


def _from_medium(profile: Profile, root: Path) -> InstallRecipe:
    installs = [method for method in profile.provisioning if method in FROM_MEDIA]
    if not installs:
        raise UsageError(
            f"there is no image recipe for {profile.id}",
            remedy="use your own build of it with --image FILE",
        )
    shelf = MediaShelf(root)
    if shelf.for_profile(profile.id) is None:
        troubled = [medium for medium in shelf.media() if profile.id in medium.profiles]
        raise UsageError(
            f"the medium of {profile.id}, {troubled[0].path}, {troubled[0].trouble}"
            if troubled
            else f"there is no installation medium of {profile.id}",
            remedy="guestcert media add FILE, or use your own build of it with --image FILE",
        )
    return InstallRecipe(id=profile.id, kind="install", guest=profile.id, method=installs[0])
