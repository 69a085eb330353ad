"""Which recipe makes a guest's base image: one that is asked for, its own, or an installation."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UsageError
from harness.image_store.media import FROM_MEDIA, MediaShelf
from harness.image_store.recipe import InstallRecipe, Recipe, load_recipe
from harness.profiles.model import Profile


def recipe_for(profile: Profile, root: Path, asked: str | None = None) -> Recipe:
    """The recipe `asked` for, else the profile's own, else an installation from the shelf's medium.

    Raises UsageError where there is no such recipe, or no way to an image; `root` is the store's.
    """
    if asked is not None or profile.recipe is not None:
        recipe = load_recipe(asked or profile.recipe or "")
        if isinstance(recipe, InstallRecipe) and recipe.guest != profile.id:
            raise UsageError(
                f"the recipe {recipe.id} installs {recipe.guest}, and not {profile.id}",
                remedy=f"certify {recipe.guest} with it",
            )
        return recipe
    installs = [method for method in profile.provisioning if method in FROM_MEDIA]
    if not installs:
        raise UsageError(
            f"there is no recipe that makes an image of {profile.id}",
            remedy=f"give your own build of it: guestcert certify {profile.id} --image FILE",
        )
    if MediaShelf(root).for_profile(profile.id) is None:
        raise UsageError(
            f"there is no installation medium of {profile.id}",
            remedy="guestcert media add FILE, or give your own build of it with --image FILE",
        )
    return InstallRecipe(id=profile.id, kind="install", guest=profile.id, method=installs[0])
