"""Builds base images from vendors' cloud images, downloaded and verified, or user-supplied."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import httpx

from harness.errors import UsageError
from harness.image_store import qemu_img
from harness.image_store.builder import Material, StepReporter
from harness.image_store.checksums import newest, published
from harness.image_store.download import PART, digest_of, download, open_client
from harness.image_store.imported import opened
from harness.image_store.recipe import CloudImageRecipe, Recipe
from harness.waiting import SYSTEM_CLOCK, Clock


def downloads(root: Path) -> Path:
    """The store's folder of downloaded images, by guestcert or by the user."""
    return root / "downloads"


def keyrings(root: Path) -> Path:
    """The store's folder for the vendors' keys that the user supplies."""
    return root / "keyrings"


def users_image(recipe: CloudImageRecipe, folder: Path) -> Path:
    """The newest image that the user downloaded for a recipe into `folder`.

    Raises UsageError if there is none.
    """
    there = [file.name for file in folder.glob("*") if file.is_file()]
    name = newest(recipe.image, there)
    if name is None:
        raise UsageError(
            f"{recipe.image} is not in {folder}: its vendor provides it to customers only",
            remedy=f"download it from {recipe.page} into that folder",
        )
    return folder / name


class CloudImage:
    """See Builder. `root`: the store's root, with the folders of downloads and user files."""

    def __init__(
        self, root: Path, client: httpx.Client | None = None, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._downloads = downloads(root)
        self._keyrings = keyrings(root)
        self._client = client or open_client()
        self._clock = clock

    def inputs(self, recipe: Recipe, step: StepReporter) -> Mapping[str, str]:
        """See Builder: the vendor's currently published digest, or that of the user's file."""
        assert isinstance(recipe, CloudImageRecipe)
        name, digest = self._wanted(recipe, step)
        return {"image": name, "digest": digest, "qemu-img": qemu_img.version()}

    def build(self, recipe: Recipe, folder: Path, step: StepReporter) -> tuple[Material, ...]:
        """See Builder."""
        assert isinstance(recipe, CloudImageRecipe)
        name, digest = self._wanted(recipe, step)
        file = self._downloads / name
        address = ""
        if recipe.folder is not None and recipe.checksums is not None:
            address = f"{recipe.folder.rstrip('/')}/{name}"
            kind = recipe.checksums.algorithm
            if not file.is_file() or digest_of(file, kind) != digest:
                file = self._downloads / (name + PART)
                self._downloads.mkdir(parents=True, exist_ok=True)
                download(self._client, address, file, kind, digest, step, self._clock)
        step("converting the disk")
        wanted = (
            digest if recipe.checksums is None else None
        )  # a downloaded image is already verified
        with opened(file) as source:
            material = Material(name, source.convert(folder, wanted), address)
        if file.suffix == PART:
            file.unlink()  # the store has it now; a user's file stays
        return (material,)

    def _wanted(self, recipe: CloudImageRecipe, step: StepReporter) -> tuple[str, str]:
        """The name of the current file, and its digest."""
        if recipe.folder is not None and recipe.checksums is not None:
            step(f"asking {recipe.folder} for its newest build")
            return published(
                self._client,
                recipe.folder,
                recipe.checksums,
                recipe.image,
                self._keyrings,
                step,
            )
        file = users_image(recipe, self._downloads)
        with opened(file) as source:
            return file.name, source.digest()
