"""The targets of the cases, their order, and the groups that share a worker."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import pytest

from harness.errors import UsageError
from harness.features.catalogue import load_catalogue
from harness.features.tiers import Tier
from harness.lab.run_plan import RunPlan
from harness.profiles.claims import HypervisorKind
from harness.profiles.hardware import Firmware
from harness.profiles.model import Profile
from harness.profiles.variants import SelectedGuests, Variant, covers, variants_on
from harness.results.model import CaseRecord, case_id

DEFAULT_COST = 10.0


@dataclass(frozen=True)
class Target:
    """One variant of one guest, on which a case runs."""

    profile: Profile
    variant: Variant

    def __str__(self) -> str:
        return f"{self.profile.id}-{self.variant}"


def targets_of(
    markers: pytest.Mark | None,
    every: bool,
    guests: SelectedGuests,
    kind: HypervisorKind,
) -> list[Target]:
    """The targets of one case: the named variants, each variant, or the guest's first one.

    A named variant that the profile lacks stays a target and is reported as not applicable; one
    that this run leaves out does not.
    """
    targets = []
    for profile, chosen in guests:
        if markers is not None:
            wanted = [Firmware(name) for name in markers.args]
            known = variants_on(profile, kind)
            targets += [
                Target(profile, variant)
                for firmware in wanted
                for variant in _covering(profile, known, firmware) or (firmware,)
                if variant in chosen or variant not in known
            ]
        elif every:
            targets += [Target(profile, variant) for variant in chosen]
        else:
            targets.append(Target(profile, chosen[0]))
    return targets


def _covering(
    profile: Profile, variants: tuple[Variant, ...], firmware: Firmware
) -> tuple[Variant, ...]:
    return tuple(variant for variant in variants if covers(profile, variant, firmware))


def parametrize(metafunc: pytest.Metafunc, plan: RunPlan) -> None:
    """Give a case that uses `target`, itself or by its fixtures, one parameter for each target."""
    if "target" not in metafunc.fixturenames:
        return
    definition = metafunc.definition
    # Without KVM a quick run can afford the boot of one variant.
    every = plan.choices.tier.includes(Tier.STANDARD)
    targets = targets_of(
        definition.get_closest_marker("variants"),
        every and definition.get_closest_marker("every_variant") is not None,
        plan.guests,
        plan.kind,
    )
    metafunc.parametrize("target", targets, ids=str, indirect=True, scope="session")


def remove_higher_tiers(items: list[pytest.Item], tier: Tier) -> list[pytest.Item]:
    """Remove the cases of a higher tier from `items`, and return them.

    A case belongs to its feature's tier, or to the higher one of its `from_tier` mark. The verdict
    on a feature without a case in this tier is untested, with the tier that has its cases.
    """
    lowest = {feature.id: feature.tier for feature in load_catalogue()}
    higher_tier = [
        item
        for item in items
        if not tier.includes(lowest.get(feature_of(item), tier))
        or not tier.includes(_lowest_tier_of(item))
    ]
    items[:] = [item for item in items if item not in higher_tier]
    return higher_tier


def _lowest_tier_of(item: pytest.Item) -> Tier:
    marker = item.get_closest_marker("from_tier")
    return Tier(marker.args[0]) if marker else Tier.SMOKE


def arrange(items: list[pytest.Item]) -> None:
    """Put the longest first; cases that share a guest or several guests stay together.

    Such a group counts as one, as long as all its cases: one worker runs it, and makes the golden
    states of those guests once.
    """
    for item in items:
        target = target_of(item)
        if _uses_ready_guests(item):
            item.add_marker(pytest.mark.xdist_group(f"actors-{target}"))
        elif item.get_closest_marker("read_only") is not None:
            item.add_marker(pytest.mark.xdist_group(f"read-only-{target}"))
    costs: dict[str, float] = defaultdict(float)
    for item in items:
        costs[_group_of(item)] += _cost_of(item)
    items.sort(key=lambda item: _order(item, costs))


def _uses_ready_guests(item: pytest.Item) -> bool:
    """Whether a case uses several ready guests; clones alone have no golden state to share."""
    fixtures: Collection[str] = getattr(item, "fixturenames", ())
    return "neighbours" in fixtures or ("actors" in fixtures and "clones" not in fixtures)


def _order(item: pytest.Item, costs: Mapping[str, float]) -> tuple[float, str]:
    group = _group_of(item)
    return (-costs[group] if group else -_cost_of(item), group)


def _cost_of(item: pytest.Item) -> float:
    marker = item.get_closest_marker("cost")
    return float(marker.args[0]) if marker else DEFAULT_COST


def _group_of(item: pytest.Item) -> str:
    """The group of cases that one worker runs; empty for a single case."""
    group = item.get_closest_marker("xdist_group")
    return str(group.args[0]) if group else ""


def target_of(item: pytest.Item) -> Target | None:
    """The target of a case; None where it needs no guest."""
    callspec = getattr(item, "callspec", None)
    target = callspec.params.get("target") if callspec else None
    return target if isinstance(target, Target) else None


def feature_of(item: pytest.Item) -> str:
    """The feature that a case carries; empty where it carries none."""
    marker = item.get_closest_marker("feature")
    return str(marker.args[0]) if marker else ""


def remove_finished(items: list[pytest.Item], done: Collection[str]) -> list[pytest.Item]:
    """Remove the cases whose keys are in `done` from `items`, and return them."""
    taken = [item for item in items if case_record(item).key in done]
    items[:] = [item for item in items if item not in taken]
    return taken


def case_of(nodeid: str) -> str:
    """The node id of a case without its parameters and xdist's group."""
    return nodeid.partition("[")[0].partition("@")[0]


def parameters_of(nodeid: str, target: str) -> str:
    """A case's own parameters, without its target; may be empty.

    The node id holds both in brackets, joined by hyphens in any order.
    """
    bracketed = nodeid.partition("[")[2].rpartition("]")[0]
    before, _, after = bracketed.partition(target) if target else (bracketed, "", "")
    return "-".join(filter(None, (before.strip("-"), after.strip("-"))))


def case_record(item: pytest.Item) -> CaseRecord:
    """The case of an item, on its target."""
    target = target_of(item)
    case, feature = case_of(item.nodeid), feature_of(item)
    return CaseRecord(
        id=case_id(feature, case),
        case=case,
        parameters=parameters_of(item.nodeid, str(target or "")),
        feature=feature,
        guest=target.profile.id if target else "",
        variant=str(target.variant) if target else "",
    )


def require_unique_ids(items: Iterable[pytest.Item]) -> None:
    """Raise UsageError where two cases have one id, by which the history of cases is kept."""
    found: dict[str, str] = {}
    for case in map(case_record, items):
        other = found.setdefault(case.id, case.case)
        if other != case.case:
            raise UsageError(
                f"the cases {other} and {case.case} have one id, {case.id}",
                remedy="give one of them another name",
            )
