"""Removes folders in which a broken build may have left mounts: never across one."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from pathlib import Path

from harness.errors import HarnessError
from harness.image_store.programs import run_program

MOUNTS = Path("/proc/self/mountinfo")
"""Every mount that this process sees, one a line (proc(5)); the fifth field is where it is."""

ESCAPED = re.compile(r"\\([0-7]{3})")
"""How a blank and the like stands there."""


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that is in it; what is mounted in it is unmounted first.

    Raises HarnessError, with nothing removed, where a mount stays.
    """
    mounts = mounts_below(folder)
    for mount in mounts:
        # Else what is bound recursively, such as /sys, could be unmounted for the host as well.
        _try("mount", "--make-private", str(mount))
    for mount in reversed(mounts):
        _try("umount", "--lazy", str(mount))
    if left := mounts_below(folder):
        raise HarnessError(
            f"{left[0]} is still mounted, so {folder} is not removed",
            remedy=f"umount {left[0]}",
        )
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def mounts_below(folder: Path) -> list[Path]:
    """What is mounted on a folder or in it, the outermost first."""
    inside = folder.resolve()
    found = []
    for line in MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        text = ESCAPED.sub(lambda code: chr(int(code[1], 8)), line.split(" ")[4])
        if Path(text).is_relative_to(inside):
            found.append(Path(text))
    return sorted(found)


def _try(*command: str) -> None:
    with suppress(HarnessError):  # what counts is what is mounted afterwards
        run_program(command, seconds=60.0)
