"""On which variants a case runs."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from harness.features.tiers import Tier
from harness.lab.run_choices import RunChoices
from harness.lab.run_plan import RunPlan
from harness.plugin.collection import parameters_of, parametrize
from harness.profiles.claims import HypervisorKind
from harness.profiles.loader import load_profiles
from harness.profiles.variants import Variant

(DEBIAN,) = (profile for profile in load_profiles() if profile.id == "debian-12")


def a_plan(tier: Tier, chosen: tuple[Variant, ...]) -> RunPlan:
    choices = RunChoices(guests=(DEBIAN.id,), tier=tier)
    return RunPlan(choices, HypervisorKind.QEMU, [(DEBIAN, chosen)], {})


def targets(tier: Tier, chosen: tuple[Variant, ...], *marks: pytest.MarkDecorator) -> list[str]:
    """Where a case with these marks would run."""
    named = {decorator.mark.name: decorator.mark for decorator in marks}
    metafunc = Mock(fixturenames=["machine", "target"])
    metafunc.definition.get_closest_marker = named.get
    parametrize(metafunc, a_plan(tier, chosen))
    return [str(target.variant) for target in metafunc.parametrize.call_args.args[1]]


@pytest.mark.parametrize(
    ("nodeid", "own"),
    [
        ("suites/a.py::test_it", ""),
        ("suites/a.py::test_it[debian-12-bios]", ""),
        ("suites/a.py::test_it[debian-12-bios-e1000]", "e1000"),
        ("suites/a.py::test_it[2x1x1-2-debian-12-bios]", "2x1x1-2"),
        ("suites/a.py::test_it[a-debian-12-bios-b]", "a-b"),
        ("suites/a.py::test_it[debian-12-bios-e1000]@read-only-debian-12-bios", "e1000"),
        ("suites/a.py::test_it@group", ""),
    ],
)
def test_a_cases_own_parameters_are_told_apart_from_its_target(nodeid: str, own: str) -> None:
    assert parameters_of(nodeid, "debian-12-bios") == own


EVERY = pytest.mark.every_variant


def test_a_case_runs_on_the_first_variant_or_on_every_one() -> None:
    assert targets(Tier.STANDARD, DEBIAN.variants) == ["bios"]
    assert targets(Tier.STANDARD, DEBIAN.variants, EVERY) == ["bios", "uefi", "secure-boot"]
    assert targets(Tier.FULL, DEBIAN.variants[1:], EVERY) == ["uefi", "secure-boot"]


def test_a_case_that_uses_no_target_runs_once() -> None:
    metafunc = Mock(fixturenames=["tier", "hypervisor"])
    parametrize(metafunc, a_plan(Tier.FULL, DEBIAN.variants))
    metafunc.parametrize.assert_not_called()


def test_a_case_for_named_variants_runs_on_these() -> None:
    named = pytest.mark.variants("secure-boot", "uefi")
    assert targets(Tier.FULL, DEBIAN.variants, named) == ["secure-boot", "uefi"]
    assert targets(Tier.FULL, DEBIAN.variants[:2], named) == ["uefi"]


def test_a_quick_run_boots_one_variant() -> None:
    assert targets(Tier.SMOKE, DEBIAN.variants, EVERY) == ["bios"]
    assert targets(Tier.SMOKE, DEBIAN.variants[1:], EVERY) == ["uefi"]
