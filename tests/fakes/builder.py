"""A builder that writes a few bytes, and counts its builds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from harness.errors import HarnessError
from harness.image_store.builder import IMAGE, LOG, Material, StepReporter
from harness.image_store.recipe import Recipe


class FakeBuilder:
    """See Builder. `before` runs while the image is being made; `fails` makes it end badly."""

    def __init__(self, count: Path, before: Callable[[], None] = lambda: None) -> None:
        self.count = count
        self.before = before
        self.fails = False
        self.shaped_by: dict[str, str] = {"tool": "1.0"}

    @property
    def builds(self) -> int:
        """How often an image was made."""
        return len(self.count.read_bytes()) if self.count.exists() else 0

    def inputs(self, recipe: Recipe, step: StepReporter) -> Mapping[str, str]:
        """See Builder."""
        return self.shaped_by

    def build(self, recipe: Recipe, folder: Path, step: StepReporter) -> tuple[Material, ...]:
        """See Builder."""
        with self.count.open("ab") as file:
            file.write(b"x")
        step("half way")
        self.before()
        (folder / LOG).write_text("output of the programs", encoding="utf-8")
        (folder / "half-made").write_bytes(b"")
        if self.fails:
            raise HarnessError("the fake build fails")
        (folder / "work").mkdir()
        (folder / "work" / "answers.iso").write_bytes(b"a product key")
        (folder / IMAGE).write_bytes(f"image of {recipe.id}".encode())
        return (Material("pkg:deb/debian/sudo@1.9", "ab" * 32),)
