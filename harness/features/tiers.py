"""The tiers of a run."""

from __future__ import annotations

from enum import StrEnum


class Tier(StrEnum):
    """How thorough a run is; each tier includes the one before it."""

    SMOKE = "smoke"
    STANDARD = "standard"
    FULL = "full"

    def includes(self, other: Tier) -> bool:
        """Whether a run of this tier also runs the cases of the other."""
        order = list(Tier)
        return order.index(other) <= order.index(self)

    @property
    def repeats(self) -> int:
        """How often a case repeats what must hold every time."""
        return {Tier.SMOKE: 2, Tier.STANDARD: 10, Tier.FULL: 20}[self]
