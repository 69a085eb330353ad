"""What every builder of base images has in common."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.image_store.programs import run_program
from harness.image_store.recipe import Recipe

IMAGE = "image.qcow2"
"""The name that every builder gives its result in the folder that it is given."""

LOG = "build.log"
EVIDENCE = "evidence"
"""What a failed build leaves in its folder: a log, and perhaps a folder with more."""

Step = Callable[[str], None]
"""Told what a build is doing now."""


@dataclass(frozen=True)
class Material:
    """Something that went into an image; `sha256` is empty where only its name is known."""

    name: str
    sha256: str = ""
    address: str = ""


class Builder(Protocol):
    """Makes the images of one kind of recipe."""

    def inputs(self, recipe: Recipe, step: Step) -> Mapping[str, str]:
        """All that shapes the image beside the recipe's text: versions and digests, by name."""
        ...

    def build(self, recipe: Recipe, folder: Path, step: Step) -> tuple[Material, ...]:
        """Make `folder`/IMAGE (qcow2); returns what went into it. Its log is `folder`/LOG.

        Raises HarnessError where it can't be made.
        """
        ...


def version_of(program: str, flag: str = "--version") -> str:
    """What a program says of its version, in a line."""
    return run_program([program, flag]).splitlines()[0].strip()


def file_digest(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
