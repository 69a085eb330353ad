"""Prerequisites of a guest's base image: what is missing to build it now."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UsageError
from harness.image_store.image_choice import recipe_for
from harness.image_store.recipe import InstallRecipe
from harness.profiles.claims import HypervisorKind
from harness.profiles.model import Profile
from harness.profiles.variants import unsupported_reason
from harness.provisioning.product_keys import product_key


def missing_prerequisite(profile: Profile, root: Path) -> UsageError | None:
    """The missing prerequisite with its remedy, or None. `root`: the store's root."""
    if refusal := unsupported_reason(profile, HypervisorKind.QEMU):
        return refusal
    try:
        if isinstance(recipe_for(profile, root), InstallRecipe) and profile.windows:
            product_key(profile)
    except UsageError as missing:
        return missing
    return None
