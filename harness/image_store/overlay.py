"""Overlays: thin qcow2 files over a base that nobody writes to."""

from __future__ import annotations

from pathlib import Path

from harness.image_store.programs import run_program


def create_overlay(base: Path, overlay: Path) -> None:
    """Make an empty overlay over `base` (qcow2), replacing what was there.

    The base's format is named, never guessed: a guest that writes a forged header into its disk
    must not make QEMU follow it.
    """
    overlay.unlink(missing_ok=True)
    run_program(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(base), str(overlay)]
    )
