"""In which order cases run, which stay together, and which wait for a more thorough run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from harness.errors import UsageError
from harness.features.catalogue import load_catalogue
from harness.features.tiers import Tier
from harness.plugin.collection import arrange, remove_higher_tiers, require_unique_ids


@dataclass
class Item:
    """As much of pytest's item as the order needs."""

    name: str
    marks: list[pytest.MarkDecorator]
    fixturenames: tuple[str, ...] = ("guest",)
    nodeid: str = ""
    added: list[pytest.MarkDecorator] = field(default_factory=list)

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        found = [one.mark for one in (*self.marks, *self.added) if one.mark.name == name]
        return found[0] if found else None

    def add_marker(self, mark: pytest.MarkDecorator) -> None:
        self.added.append(mark)


def case(name: str, cost: float | None = None, *marks: pytest.MarkDecorator, **more: Any) -> Item:
    own = [pytest.mark.cost(cost)] if cost is not None else []
    return Item(name, [*own, *marks], **more)


def arranged(*cases: Item) -> list[str]:
    items = cast(list[pytest.Item], list(cases))
    arrange(items)
    return [item.name for item in items]


READ_ONLY = pytest.mark.read_only
PAIR = {"fixturenames": ("neighbours", "actors", "target")}


def test_the_longest_case_comes_first_and_one_without_a_cost_takes_ten_seconds() -> None:
    assert arranged(case("cheap", 5), case("plain"), case("long", 700), case("mid", 60)) == [
        "long", "mid", "plain", "cheap",
    ]  # fmt: skip


def test_a_group_counts_as_long_as_all_its_cases() -> None:
    shared = [case(f"shared {n}", 30, READ_ONLY) for n in range(4)]
    pair = [case(f"pair {n}", 40, **PAIR) for n in range(2)]
    order = arranged(shared[0], case("single", 100), *pair, case("short", 20), *shared[1:])
    assert order == [
        "shared 0", "shared 1", "shared 2", "shared 3", "single", "pair 0", "pair 1", "short",
    ]  # fmt: skip


def test_a_group_stays_together_beside_cases_and_groups_that_take_as_long() -> None:
    pair = [case(f"pair {n}", 10, **PAIR) for n in range(2)]
    shared = [case(f"shared {n}", 10, READ_ONLY) for n in range(2)]
    order = arranged(pair[0], shared[0], case("single", 20), shared[1], pair[1])
    places = [order.index(name) for name in ("pair 0", "shared 0")]
    assert [order[at + 1] for at in places] == ["pair 1", "shared 1"]


def test_each_group_is_one_worker_s() -> None:
    item = case("shared", 1, READ_ONLY)
    arranged(item)
    mark = item.get_closest_marker("xdist_group")
    assert mark is not None
    assert mark.args[0].startswith("read-only-")


def group(fixtures: tuple[str, ...]) -> str | None:
    item = case("one", fixturenames=(*fixtures, "target"))
    arranged(item)
    mark = item.get_closest_marker("xdist_group")
    return str(mark.args[0]) if mark else None


def test_cases_with_several_ready_guests_share_a_worker() -> None:
    assert group(("actors",)) == group(("neighbours", "actors")) == "actors-None"
    assert group(("clones", "actors")) is None, "clones have no golden state to share"
    assert group(("guest",)) is None


def left(tier: Tier, *cases: Item) -> list[str]:
    items = cast(list[pytest.Item], list(cases))
    remove_higher_tiers(items, tier)
    return [item.name for item in items]


def test_a_case_waits_for_its_feature_s_tier_and_for_its_own() -> None:
    mark = pytest.mark
    cases = [
        case("quick", 1, mark.feature("integration.heartbeat")),
        case("long", 1, mark.feature("integration.heartbeat"), mark.from_tier("standard")),
        case("boot", 1, mark.feature("boot.secure_boot"), mark.from_tier("smoke")),
    ]
    assert left(Tier.SMOKE, *cases) == ["quick"]
    assert left(Tier.STANDARD, *cases) == ["quick", "long"]
    assert left(Tier.FULL, *cases) == ["quick", "long", "boot"]


def test_a_smoke_run_holds_what_no_guest_may_lack() -> None:
    smoke = {feature.id for feature in load_catalogue() if feature.tier is Tier.SMOKE}
    assert smoke >= {
        "boot.ready",
        "boot.identity",
        "boot.clean_log",
        "boot.network",
        "integration.heartbeat",
        "integration.shutdown",
        "isolation.devices",
    }


def with_id(nodeid: str, feature: str) -> pytest.Item:
    return cast(pytest.Item, case("one", None, pytest.mark.feature(feature), nodeid=nodeid))


def test_two_cases_of_one_feature_and_name_are_refused() -> None:
    first = with_id("suites/boot/test_power.py::test_resets[debian-12-bios]", "boot.reset")
    again = with_id("suites/boot/test_power.py::test_resets[debian-12-uefi]", "boot.reset")
    elsewhere = with_id("suites/boot/test_power.py::test_resets", "boot.reboot")
    require_unique_ids([first, again, elsewhere])
    other = with_id("suites/boot/test_reset.py::test_resets", "boot.reset")
    with pytest.raises(UsageError, match=r"test_power\.py.*test_reset\.py.* boot\.reset/resets"):
        require_unique_ids([first, other])
