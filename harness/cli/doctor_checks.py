"""The findings of `guestcert doctor`."""

from __future__ import annotations

from dataclasses import dataclass

NEEDED_GIB = 8
"""Free space for an image, and for the overlays and saved states of a few guests."""


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    good: bool
    what: str
    remedy: str = ""
    essential: bool = True
