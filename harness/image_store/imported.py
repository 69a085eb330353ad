"""Takes disk images as they are: the user's own, in any format that qemu-img reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from harness.errors import HarnessError, UsageError
from harness.image_store.building import IMAGE, LOG, Material, Step, file_digest, version_of
from harness.image_store.programs import run_program
from harness.image_store.recipe import ImportRecipe, Recipe


class Import:
    """See Builder. The user's file is only read."""

    def inputs(self, recipe: Recipe, step: Step) -> Mapping[str, str]:
        """See Builder: the file's digest."""
        assert isinstance(recipe, ImportRecipe)
        return {"digest": file_digest(_present(recipe.file)), "qemu-img": version_of("qemu-img")}

    def build(self, recipe: Recipe, folder: Path, step: Step) -> tuple[Material, ...]:
        """See Builder."""
        assert isinstance(recipe, ImportRecipe)
        step(f"copying {recipe.file.name}")
        convert(_present(recipe.file), folder / IMAGE, folder / LOG)
        return (Material(recipe.file.name, file_digest(recipe.file)),)


def convert(file: Path, image: Path, log: Path | None = None) -> None:
    """Write `file` as a qcow2 that leans on nothing.

    Raises UsageError where it is no disk image, or one that leans on another file.
    """
    form = _format(file)
    command = ["qemu-img", "convert", "-f", form, "-O", "qcow2", str(file), str(image)]
    run_program(command, log=log)


def _present(file: Path) -> Path:
    if not file.is_file():
        raise UsageError(f"the image {file} is no file", remedy="put it there, or mend the recipe")
    return file


def _format(file: Path) -> str:
    try:
        info = json.loads(run_program(["qemu-img", "info", "--output=json", str(file)]))
    except (HarnessError, ValueError) as error:
        raise UsageError(f"{file} is no disk image that qemu-img can read") from error
    specific = (info.get("format-specific") or {}).get("data") or {}
    if info.get("backing-filename") or specific.get("data-file"):
        raise UsageError(
            f"{file} leans on another file ({info.get('backing-filename')}), and may not",
            remedy=f"flatten it: qemu-img convert -O qcow2 {file.name} flat.qcow2",
        )
    if info["format"] == "raw" and not _has_boot_sector(file):
        raise UsageError(
            f"{file} is no disk image: neither qcow2 nor a disk with a boot sector",
            remedy="give a qcow2, raw, vhd, vhdx or vmdk file",
        )
    return str(info["format"])


def _has_boot_sector(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(512)[510:512] == b"\x55\xaa"
