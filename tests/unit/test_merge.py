"""How a profile takes after its parent: the rules, as laws over any documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.profiles.merge import merged
from harness.profiles.source_map import Located

PARENT, CHILD = Path("parent.yaml"), Path("child.yaml")

SCALARS = st.one_of(st.integers(0, 9), st.text(max_size=3), st.booleans())
LISTS = st.lists(SCALARS, max_size=2)
RANGES = st.dictionaries(st.sampled_from(["minimum", "recommended", "maximum"]), SCALARS)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "id": SCALARS,
        "channels": LISTS,
        "log_exceptions": LISTS,
        "hardware": st.fixed_dictionaries({}, optional={"vcpus": RANGES, "tpm": SCALARS}),
    },
)
"""Documents in which a name is always of one kind, as in every sound profile."""

CLAIMS = st.lists(
    st.fixed_dictionaries(
        {
            "on": st.sampled_from(["qemu", "hyperv"]),
            "features": st.lists(
                st.sampled_from(["boot.ready", "boot.pause", "boot.reset"]), min_size=1, unique=True
            ),
            "claim": st.sampled_from(["supported", "unsupported"]),
            "source": st.sampled_from(["vendor", "owner"]),
        }
    ),
    max_size=4,
)


def located(value: Any, file: Path) -> Located:
    """A value as it would have been read from the first line of `file`."""
    if isinstance(value, dict):
        return Located({name: located(inner, file) for name, inner in value.items()}, file, 1)
    if isinstance(value, list):
        return Located([located(inner, file) for inner in value], file, 1)
    return Located(value, file, 1)


def after(parent: Any, child: Any) -> Any:
    """The two merged, as plain values."""
    return merged(located(parent, PARENT), located(child, CHILD)).plain()


@given(DOCUMENTS)
def test_nothing_said_inherits_everything(parent: dict[str, Any]) -> None:
    assert after(parent, {}) == parent


@given(DOCUMENTS)
def test_nothing_inherited_leaves_what_is_said(child: dict[str, Any]) -> None:
    assert after({}, child) == child


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_a_chain_can_be_merged_from_either_end(
    one: dict[str, Any], two: dict[str, Any], three: dict[str, Any]
) -> None:
    assert after(after(one, two), three) == after(one, after(two, three))


@given(DOCUMENTS, DOCUMENTS)
def test_what_the_child_says_is_there_with_its_own_place(
    parent: dict[str, Any], child: dict[str, Any]
) -> None:
    whole = merged(located(parent, PARENT), located(child, CHILD))
    for name, value in child.items():
        found = whole.at([name])
        assert found.file == CHILD
        if not isinstance(value, list | dict):
            assert found.value == value
    for name in parent.keys() - child.keys():
        assert whole.at([name]).file == PARENT


@pytest.mark.parametrize("name", ["claims", "log_exceptions", "hardware"])
def test_what_is_malformed_is_not_hidden_by_the_parent(name: str) -> None:
    parent = {
        "claims": [{"on": "qemu"}],
        "log_exceptions": [{"pattern": "a"}],
        "hardware": {"a": 1},
    }
    assert after(parent, {name: 0})[name] == 0


def test_mappings_merge_and_lists_are_replaced() -> None:
    parent = {
        "hardware": {"vcpus": {"minimum": 1, "maximum": 8}, "nic_models": ["virtio", "e1000"]}
    }
    child = {"hardware": {"vcpus": {"minimum": 2}, "nic_models": ["rtl8139"]}}
    assert after(parent, child) == {
        "hardware": {"vcpus": {"minimum": 2, "maximum": 8}, "nic_models": ["rtl8139"]}
    }


def test_null_takes_a_value_away() -> None:
    parent = {"recipe": "debian", "hardware": {"vcpus": {"minimum": 1, "maximum": 8}}}
    child = {"recipe": None, "hardware": {"vcpus": {"maximum": None}}, "editions": {"a": None}}
    assert after(parent, child) == {"hardware": {"vcpus": {"minimum": 1}}, "editions": {}}


def test_exceptions_and_known_issues_are_added() -> None:
    parent = {"log_exceptions": [{"pattern": "a"}], "known_issues": [{"feature": "boot.ready"}]}
    child = {"log_exceptions": [{"pattern": "b"}]}
    assert after(parent, child) == {
        "log_exceptions": [{"pattern": "b"}, {"pattern": "a"}],
        "known_issues": [{"feature": "boot.ready"}],
    }


def output(claims: list[dict[str, Any]]) -> dict[tuple[str, str], set[tuple[str, str]]]:
    """The claims about each feature on each hypervisor, with their sources."""
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for entry in claims:
        for feature in entry["features"]:
            place = found.setdefault((entry["on"], feature), set())
            place.add((entry["claim"], entry["source"]))
    return found


@given(CLAIMS, CLAIMS)
def test_the_nearest_claims_on_a_feature_are_the_ones_that_count(
    parent: list[dict[str, Any]], child: list[dict[str, Any]]
) -> None:
    whole = after({"claims": parent}, {"claims": child})["claims"]
    assert output(whole) == output(parent) | output(child)
    assert all(entry["features"] for entry in whole)


def test_sources_of_one_level_may_disagree() -> None:
    yes = {"on": "hyperv", "features": ["boot.firmware.uefi"], "claim": "supported", "source": "a"}
    no = {**yes, "claim": "unsupported", "source": "b"}
    parent = [{**yes, "source": "c"}]
    assert after({"claims": parent}, {"claims": [yes, no]})["claims"] == [yes, no]
