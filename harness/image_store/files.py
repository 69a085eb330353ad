"""File access that does not follow links."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from harness.errors import HarnessError


def without_links(path: str, flags: int) -> int:
    """An opener for `open` that fails if the last part of the path is a link."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o644)


def refuse_link(path: Path) -> None:
    """Raise HarnessError if the path of a file to write is a link."""
    if path.is_symlink():
        raise HarnessError(
            f"{path} is a link, which is not followed",
            remedy="check where it points, and remove it",
        )


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file atomically. Raises OSError."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as stream:
            stream.write(content)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def read_start(path: Path, limit: int) -> str | None:
    """The start of a text file, at most a little beyond `limit` bytes; None if it is not a file.

    Does not follow links, and does not block.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            return stream.read(limit + 1).decode("utf-8", errors="replace")
    except OSError:
        return None
