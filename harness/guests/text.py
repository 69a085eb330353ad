"""Text from a guest, cut to a bounded size before any pattern is searched in it."""

from __future__ import annotations

from collections.abc import Iterator

LINE_LIMIT = 2048
"""Characters read of a line; the longest that Linux's kernel logs has 1 KiB."""

TEXT_LIMIT = 2 * 1024 * 1024
"""Characters read of a log: the newest; a kernel usually keeps 1 MiB or less."""


def bounded_lines(text: str, *, limit: int = TEXT_LIMIT) -> Iterator[str]:
    """The lines of the newest `limit` characters, each cut, without the space at its end."""
    for line in text[-limit:].splitlines():
        yield line[:LINE_LIMIT].rstrip()
