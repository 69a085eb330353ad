"""Text of a guest, cut to a bounded size before any pattern is looked for in it."""

from __future__ import annotations

from collections.abc import Iterator

LINE_LIMIT = 2048
"""Characters of a line that are looked at; the longest that Linux's kernel logs has 1 KiB."""

TEXT_LIMIT = 2 * 1024 * 1024
"""Characters of a whole log that are looked at, the newest; a kernel mostly keeps 1 MiB or less."""


def bounded_lines(text: str, *, limit: int = TEXT_LIMIT) -> Iterator[str]:
    """The lines of the newest `limit` characters, each cut, without the space at its end."""
    for line in text[-limit:].splitlines():
        yield line[:LINE_LIMIT].rstrip()
