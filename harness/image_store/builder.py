"""The interface of base image builders, and their common parts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.image_store.programs import run_program
from harness.image_store.recipe import Recipe

IMAGE = "image.qcow2"
"""The name of a builder's result in its folder."""

LOG = "build.log"
EVIDENCE = "evidence"
"""Evidence that a failed build leaves in its folder: a log, and optionally a folder."""

StepReporter = Callable[[str], None]
"""Called with the current step of a build."""


@dataclass(frozen=True)
class Material:
    """An input of an image; `sha256` is empty if only its name is known."""

    name: str
    sha256: str = ""
    address: str = ""


class Builder(Protocol):
    """Builds the images of one kind of recipe."""

    def inputs(self, recipe: Recipe, step: StepReporter) -> Mapping[str, str]:
        """The inputs of an image beside the recipe's text: versions and digests, by name."""
        ...

    def build(self, recipe: Recipe, folder: Path, step: StepReporter) -> tuple[Material, ...]:
        """Build `folder`/IMAGE (qcow2); returns its materials. The log is `folder`/LOG.

        Raises HarnessError if the build fails.
        """
        ...


def version_of(program: str, flag: str = "--version") -> str:
    """The first line of a program's version output."""
    return run_program([program, flag]).splitlines()[0].strip()


def file_digest(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
