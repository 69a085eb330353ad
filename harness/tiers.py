"""How thorough a run is."""

from __future__ import annotations

from enum import StrEnum


class Tier(StrEnum):
    """How thorough a run is; every case runs in each."""

    SMOKE = "smoke"
    STANDARD = "standard"
    FULL = "full"

    @property
    def repeats(self) -> int:
        """How often a case does what must hold again and again."""
        return {Tier.SMOKE: 2, Tier.STANDARD: 10, Tier.FULL: 20}[self]
