"""Removes folders of failed builds safely: never across leftover mounts."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from pathlib import Path

from harness.errors import HarnessError
from harness.image_store.programs import run_program

MOUNTS = Path("/proc/self/mountinfo")
"""Every mount of this process, one a line (proc(5)); the fifth field is the mount point."""

ESCAPED = re.compile(r"\\([0-7]{3})")
"""Escapes of blanks and similar characters in that file."""


def remove_tree(folder: Path) -> None:
    """Remove a folder and its content, after unmounting everything in it.

    Raises HarnessError, without removing anything, if a mount stays.
    """
    mounts = mounts_below(folder)
    for mount in mounts:
        # Otherwise recursive binds, such as /sys, could be unmounted for the host as well.
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
    """The mount points on a folder or in it, the outermost first."""
    inside = folder.resolve()
    found = []
    for line in MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        text = ESCAPED.sub(lambda code: chr(int(code[1], 8)), line.split(" ")[4])
        if Path(text).is_relative_to(inside):
            found.append(Path(text))
    return sorted(found)


def _try(*command: str) -> None:
    with suppress(HarnessError):  # only the mounts left afterwards count
        run_program(command, seconds=60.0)
