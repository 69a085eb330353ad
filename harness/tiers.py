"""How thorough a run is."""

from __future__ import annotations

from enum import StrEnum


class Tier(StrEnum):
    """How thorough a run is; each holds all that the one before it does."""

    SMOKE = "smoke"
    STANDARD = "standard"
    FULL = "full"

    def includes(self, other: Tier) -> bool:
        """Whether a run of this tier also does what belongs to the other."""
        order = list(Tier)
        return order.index(other) <= order.index(self)

    @property
    def repeats(self) -> int:
        """How often a case does what must hold again and again."""
        return {Tier.SMOKE: 2, Tier.STANDARD: 10, Tier.FULL: 20}[self]
