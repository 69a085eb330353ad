"""The support matrix of claims: guests by features, each cell with its sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.features.catalogue import Feature
from harness.profiles.claims import ClaimEntry, ClaimKind, HypervisorKind
from harness.profiles.model import Profile

HYPERVISOR_NAMES = {HypervisorKind.HYPERV: "Hyper-V", HypervisorKind.QEMU: "QEMU/KVM"}


class ClaimSummary(StrEnum):
    """The summary of all claims on a feature of a guest."""

    SUPPORTED = "supported"
    CONDITIONAL = "supported with a condition"
    UNSUPPORTED = "unsupported"
    DISPUTED = "disputed"
    NOTHING = "not claimed"


@dataclass(frozen=True)
class Statement:
    """One source's claim, with the source's address."""

    claim: ClaimKind
    condition: str
    source: str

    def __str__(self) -> str:
        return f"{self.claim}, {self.condition}" if self.condition else str(self.claim)


@dataclass(frozen=True)
class Cell:
    """The claims on one feature of one guest."""

    feature: Feature
    statements: tuple[Statement, ...]

    @property
    def summary(self) -> ClaimSummary:
        """The summary of all statements."""
        claims = {statement.claim for statement in self.statements}
        if len(claims) > 1:
            return ClaimSummary.DISPUTED
        if claims == {ClaimKind.UNSUPPORTED}:
            return ClaimSummary.UNSUPPORTED
        if not claims:
            return ClaimSummary.NOTHING
        bound = any(statement.condition for statement in self.statements)
        return ClaimSummary.CONDITIONAL if bound else ClaimSummary.SUPPORTED


@dataclass(frozen=True)
class GuestRow:
    """A guest, with a cell for each feature of its table."""

    profile: Profile
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class ClaimsTable:
    """All claims on one hypervisor, without the features that have none."""

    on: HypervisorKind
    features: tuple[Feature, ...]
    rows: tuple[GuestRow, ...]

    @property
    def name(self) -> str:
        """The hypervisor's name."""
        return HYPERVISOR_NAMES[self.on]

    @property
    def sources(self) -> list[str]:
        """Every source's address once, in the order in which the cells name them."""
        cells = [cell for row in self.rows for cell in row.cells]
        return list(dict.fromkeys(s.source for cell in cells for s in cell.statements))


def claims_tables(profiles: Sequence[Profile], catalogue: Sequence[Feature]) -> list[ClaimsTable]:
    """A table for each hypervisor that the profiles have claims on."""
    tables = [_table(on, profiles, catalogue) for on in HYPERVISOR_NAMES]
    return [table for table in tables if table.features]


def _table(
    on: HypervisorKind, profiles: Sequence[Profile], catalogue: Sequence[Feature]
) -> ClaimsTable:
    claimed = {f for p in profiles for entry in p.claims if entry.on is on for f in entry.features}
    features = tuple(feature for feature in catalogue if feature.id in claimed)
    rows = tuple(
        GuestRow(profile, tuple(_cell(profile, feature, on) for feature in features))
        for profile in profiles
        if any(entry.on is on for entry in profile.claims)
    )
    return ClaimsTable(on, features, rows)


def _cell(profile: Profile, feature: Feature, on: HypervisorKind) -> Cell:
    entries = profile.claims_of(feature.id, on)
    return Cell(feature, tuple(_statement(profile, entry) for entry in entries))


def _statement(profile: Profile, entry: ClaimEntry) -> Statement:
    condition = str(entry.when) if entry.when else ""
    return Statement(entry.claim, condition, profile.sources[entry.source])
