"""The words that choose profiles: ids, globs, and expressions over fields."""

from __future__ import annotations

import functools
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.profiles.model import Profile
from harness.profiles.selection import compare_releases, select
from tests.unit.builders import a_profile

TODAY = date(2024, 5, 1)
OVER = {"released": date(2017, 6, 17), "end_of_life": date(2022, 6, 30), "source": "vendor"}

GUESTS = [
    a_profile("debian-9", lifecycle=OVER),
    a_profile("debian-12"),
    a_profile("ubuntu-22.04"),
    a_profile("ubuntu-24.04", name="Ubuntu 24.04 (noble)"),
]


def ids(profiles: list[Profile]) -> list[str]:
    return [profile.id for profile in profiles]


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("debian-12", ["debian-12"]),
        ("debian-*", ["debian-9", "debian-12"]),
        ("*.04", ["ubuntu-22.04", "ubuntu-24.04"]),
        ("family=ubuntu", ["ubuntu-22.04", "ubuntu-24.04"]),
        ("family!=ubuntu", ["debian-9", "debian-12"]),
        ("release>=12", ["debian-12", "ubuntu-22.04", "ubuntu-24.04"]),
        ("release<12", ["debian-9"]),
        ("release > 22.04", ["ubuntu-24.04"]),
        ("release<=12 and not id=debian-9", ["debian-12"]),
        ("release=9 or id=ubuntu-2?.04 and release<24", ["debian-9", "ubuntu-22.04"]),
        ("family=ubuntu and (release=22.04 or release=24.10)", ["ubuntu-22.04"]),
        ('name="Ubuntu 24.04 (noble)"', ["ubuntu-24.04"]),
        ("eol", ["debian-9"]),
        ("not eol and family=debian", ["debian-12"]),
        ("family=ubuntu and not (eol or release=22.04)", ["ubuntu-24.04"]),
        ("not listed and release<=12", ["debian-9", "debian-12"]),
    ],
)
def test_words_choose_profiles(words: str, meant: list[str]) -> None:
    assert ids(select(GUESTS, [words], today=TODAY)) == meant


def test_several_words_choose_each_profile_once_in_the_profiles_order() -> None:
    chosen = select(GUESTS, ["ubuntu-22.04", "debian-*", "debian-12"])
    assert ids(chosen) == ["debian-9", "debian-12", "ubuntu-22.04"]


@pytest.mark.parametrize(
    ("words", "sentence", "remedy"),
    [
        (
            "nosuch",
            "there is no profile 'nosuch'",
            "guestcert profiles list",
        ),
        ("debain-12", "there is no profile 'debain-12'", "debian-12"),
        ("rhel-*", "there is no profile 'rhel-*'", "guestcert profiles list"),
        ("famly=debian", "'famly' is not a field to select by", "family"),
        ("family=debian and eoll", "'eoll' is not a flag to select by", "eol"),
        ("not a-b", "selection at column", "an id, a glob"),
        ("shape=round", "'shape' is not a field", "one of id, name, family, release"),
        ("family=rhel", "no profile matches 'family=rhel'", "family: debian, ubuntu"),
        ("release>99", "no profile matches 'release>99'", "release: 12, 22.04, 24.04, 9"),
        ("family=debian &", "selection at column 15", "'family=debian and release>=12'"),
        ("family=debian and", "selection at its end", "'family=debian and release>=12'"),
    ],
)
def test_words_that_choose_nothing_are_answered_with_what_would(
    words: str, sentence: str, remedy: str
) -> None:
    with pytest.raises(UsageError) as caught:
        select(GUESTS, [words])
    assert sentence in caught.value.sentence
    assert remedy in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("left", "right", "order"),
    [
        ("9", "10", -1),
        ("12", "12-sp1", -1),
        ("12-sp5", "12-sp10", -1),
        ("8.10", "8.9", 1),
        ("2008-r2", "2008-r2-sp1", -1),
        ("24.04", "24.04", 0),
        ("sid", "12", None),
        ("xp-sp3", "2016", None),
        ("sid", "testing", -1),
    ],
)
def test_releases_compare_as_people_count(left: str, right: str, order: int | None) -> None:
    found, back = compare_releases(left, right), compare_releases(right, left)
    assert (found if found is None else (found > 0) - (found < 0)) == order
    assert (back is None) if found is None else back == -found


RELEASES = st.lists(st.integers(0, 3000), min_size=1, max_size=3).map(
    lambda parts: ".".join(map(str, parts))
)


@given(RELEASES, RELEASES, RELEASES)
def test_the_order_of_releases_is_one(one: str, two: str, three: str) -> None:
    ordered = sorted([one, two, three], key=functools.cmp_to_key(must_compare))
    assert must_compare(ordered[0], ordered[2]) <= 0
    assert must_compare(ordered[0], ordered[1]) <= 0 >= must_compare(ordered[1], ordered[2])


def must_compare(left: str, right: str) -> int:
    order = compare_releases(left, right)
    assert order is not None
    return order


ATOMS = st.one_of(
    st.sampled_from(["eol", "listed"]),
    st.tuples(
        st.sampled_from(["id", "family", "release", "architecture"]),
        st.sampled_from(["=", "!=", ">=", "<=", ">", "<"]),
        st.sampled_from(["debian*", "12", "22.04", "x86_64", "ubuntu", "9"]),
    ).map("".join),
)
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        inner.map("not ({})".format),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}) and ({pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}) or ({pair[1]})"),
    ),
    max_leaves=4,
)


def chosen_by(words: str) -> set[str]:
    """What an expression chooses, nothing where nothing fits."""
    try:
        return set(ids(select(GUESTS, [f"({words})"], today=TODAY)))
    except UsageError as error:
        assert "no profile matches" in error.sentence, error.sentence
        return set()


@settings(max_examples=60)
@given(EXPRESSIONS, EXPRESSIONS)
def test_expressions_obey_the_laws_of_logic(one: str, two: str) -> None:
    everything = set(ids(GUESTS))
    assert chosen_by(f"not ({one})") == everything - chosen_by(one)
    assert chosen_by(f"({one}) and ({two})") == chosen_by(one) & chosen_by(two)
    assert chosen_by(f"({one}) or ({two})") == chosen_by(one) | chosen_by(two)


@settings(max_examples=60)
@given(st.text(max_size=30))
def test_no_words_at_all_bring_more_than_a_usage_error(words: str) -> None:
    try:
        assert select(GUESTS, [words], today=TODAY)
    except UsageError as error:
        assert error.remedy


def test_one_wrong_word_among_right_ones_is_not_passed_over() -> None:
    with pytest.raises(UsageError, match="nosuch"):
        select(GUESTS, ["debian-12", "nosuch"])
