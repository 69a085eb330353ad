"""The marks of a case: its feature, its requirements, and how it may be run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from harness.features.tiers import Tier
from harness.hypervisors.capabilities import Capability
from harness.profiles.hardware import Firmware
from harness.profiles.model import System

Case = TypeVar("Case", bound=Callable[..., Any])

DESCRIPTIONS = (
    "feature(id): the row of the support matrix that this case tests",
    "requires(*capabilities): capabilities that the hypervisor needs; else not_applicable",
    "variants(*names): the variants that this case is about; else the profile's first one",
    "only_on(*systems, because): the kinds of system that this case is about; else not_applicable",
    "every_variant: this case is run on each variant that the profile names",
    "read_only: this case changes nothing, so it may share its guest with others like it",
    "from_tier(tier): the lowest tier in which this case runs, where its feature's is lower",
    "cost(seconds): its approximate duration; long cases run first",
)


def feature(identifier: str) -> Callable[[Case], Case]:
    """The case tests this feature of the catalogue."""
    return pytest.mark.feature(identifier)


def requires(*capabilities: Capability) -> pytest.MarkDecorator:
    """The case, or one parameter of it, needs these capabilities of the hypervisor."""
    return pytest.mark.requires(*capabilities)


def variants(*names: Firmware) -> Callable[[Case], Case]:
    """The case is about these variants; on a guest without one it is not applicable."""
    return pytest.mark.variants(*names)


def only_on(*systems: System, because: str) -> Callable[[Case], Case]:
    """The case is about these kinds of system; on a guest of another it is not applicable."""
    return pytest.mark.only_on(*systems, because=because)


def every_variant(case: Case) -> Case:
    """The case is run on each variant that the profile names."""
    marked: Case = pytest.mark.every_variant(case)
    return marked


def read_only(case: Case) -> Case:
    """The case changes nothing in its guest; it is checked."""
    marked: Case = pytest.mark.read_only(case)
    return marked


def from_tier(tier: Tier) -> Callable[[Case], Case]:
    """The case runs from this tier on, although others of its feature run in a lower one."""
    return pytest.mark.from_tier(tier)


def cost(seconds: float) -> Callable[[Case], Case]:
    """The case takes about this long on a slow host."""
    return pytest.mark.cost(seconds)
