"""The feature catalogue: the rows of the support matrix."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path

from pydantic import Field, model_validator

from harness.features.tiers import Tier
from harness.profiles.documents import Document, read_document
from harness.profiles.places import catalogue_file

READY = "boot.ready"
"""The feature that every case in a running guest builds on."""

IDENTITY = "boot.identity"
"""The feature that every profile claims implicitly: the guest is what the profile describes."""


class Severity(StrEnum):
    """The severity of a feature's failure, in Allure's terms."""

    BLOCKER = "blocker"
    CRITICAL = "critical"
    NORMAL = "normal"
    MINOR = "minor"


class Feature(Document):
    """One row: its promise in a sentence, and what it builds on.

    `tier` is the lowest in which its cases run, `microsoft` the row of Microsoft's tables that it
    answers to, `qemu` what QEMU/KVM offers for it; a `planned` feature has no case yet.
    """

    id: str = Field(pattern=r"^(boot|isolation|integration)(\.[a-z0-9_]+)+$")
    title: str
    group: str
    meaning: str
    severity: Severity
    tier: Tier
    microsoft: str | None = None
    qemu: str
    builds_on: str | None = None
    planned: bool = False

    @property
    def suite(self) -> str:
        """boot, isolation or integration."""
        return self.id.partition(".")[0]


class Catalogue(Document):
    """All features, in the order in which they are shown."""

    features: tuple[Feature, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Catalogue:
        ids = [feature.id for feature in self.features]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"features name {', '.join(twice)} more than once")
        above = {feature.id: feature.builds_on for feature in self.features}
        for feature in self.features:
            if feature.builds_on is not None and feature.builds_on not in ids:
                raise ValueError(f"{feature.id} builds on {feature.builds_on}: not a feature")
            if feature.id in _foundations(feature.id, above):
                raise ValueError(f"{feature.id} builds on itself")
        return self


@cache
def load_catalogue(file: Path | None = None) -> tuple[Feature, ...]:
    """The features of the catalogue file; raises BadFileError where it is wrong."""
    return read_document(file or catalogue_file(), Catalogue).features


@cache
def foundations(feature: str) -> tuple[str, ...]:
    """The features that a feature builds on, the nearest first, without READY.

    Empty for an unknown feature.
    """
    return _foundations(feature, {known.id: known.builds_on for known in load_catalogue()})


def _foundations(feature: str, above: Mapping[str, str | None]) -> tuple[str, ...]:
    found: list[str] = []
    below = above.get(feature)
    while below is not None and below not in found:
        found.append(below)
        below = above.get(below)
    return tuple(found)
