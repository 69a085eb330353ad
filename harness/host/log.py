"""Log files of the host."""

from __future__ import annotations

import io
from pathlib import Path


def log_tail(file: Path, limit: int) -> str:
    """The last `limit` bytes of a log file as text; raises OSError."""
    with file.open("rb") as log:
        log.seek(0, io.SEEK_END)
        log.seek(max(0, log.tell() - limit))
        return log.read().decode("utf-8", errors="replace")
