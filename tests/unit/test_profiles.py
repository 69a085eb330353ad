"""Profiles: what is wrong with a file is told with its place, and words choose among them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from harness.errors import BadFileError, UsageError
from harness.profiles.catalogue import Catalogue, load_catalogue
from harness.profiles.documents import SIZE_LIMIT, nearest, read_document
from harness.profiles.loading import digest, examine_profiles, load_profiles
from harness.profiles.model import ClaimKind, Profile
from harness.profiles.selection import select
from tests.unit.builders import (
    PROFILE_YAML,
    a_feature,
    a_known_issue,
    a_profile,
    edited,
    line_of,
)

GUESTS = [
    a_profile("debian-9"),
    a_profile("debian-12"),
    a_profile("ubuntu-22.04"),
    a_profile("ubuntu-24.04", name="Ubuntu 24.04 (noble)"),
]

KNOWN_ISSUE_YAML = """\
known_issues:
  - feature: boot.reedy
    pattern: stalls
    reason: it stalls
    url: https://example.org/issues/7
    owner: kernel team
    expires: 2024-06-30
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for profiles, beside a catalogue of three features and one recipe."""
    features = tuple(a_feature(f) for f in ("boot.ready", "boot.pause", "integration.exec"))
    recipes = tmp_path / "images"
    recipes.mkdir()
    (recipes / "debian-12.yaml").write_text("id: debian-12\n", encoding="utf-8")
    monkeypatch.setattr("harness.profiles.loading.load_catalogue", lambda: features)
    monkeypatch.setattr("harness.profiles.loading.recipes_folder", lambda: recipes)
    profiles = tmp_path / "guest_profiles"
    profiles.mkdir()
    return profiles


def problem_with(tmp_path: Path, text: str | bytes) -> BadFileError:
    """The first problem of a profile with this text."""
    file = tmp_path / "debian-12.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadFileError) as caught:
        read_document(file, Profile)
    assert caught.value.file == file
    return caught.value


def problems_of(folder: Path, text: str, name: str = "debian-12") -> list[BadFileError]:
    """All problems of a folder with just this profile."""
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return examine_profiles(folder)[1]


def ids(profiles: list[Profile]) -> list[str]:
    return [profile.id for profile in profiles]


# A document and its errors


def test_a_sound_file_becomes_a_profile(tmp_path: Path) -> None:
    file = tmp_path / "debian-12.yaml"
    file.write_text(PROFILE_YAML, encoding="utf-8")
    profile = read_document(file, Profile)
    assert (profile.id, profile.release, profile.login) == ("debian-12", "12", "guestcert")
    assert profile.lifecycle.released == date(2023, 6, 10)


def test_broken_yaml_is_told_with_file_and_line(tmp_path: Path) -> None:
    text = edited(PROFILE_YAML, "family: debian", "family: deb: ian")
    problem = problem_with(tmp_path, text)
    assert problem.line == line_of(text, "family:")
    assert str(problem).startswith(f"{tmp_path / 'debian-12.yaml'}:{problem.line}: YAML: ")


def test_a_field_given_twice_is_told_with_its_second_line(tmp_path: Path) -> None:
    problem = problem_with(tmp_path, PROFILE_YAML + "recipe: other\n")
    assert problem.line == len(PROFILE_YAML.splitlines()) + 1
    assert 'duplicate key "recipe"' in problem.problem


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("released: 2023-06-10", "released: 2023-13-45"),
        ("ready_seconds: 60", "ready_seconds: !!int soon"),
        ("ready_seconds: 60", f"ready_seconds: {'9' * 5000}"),
    ],
    ids=["no such month", "no number", "a number beyond reason"],
)
def test_an_impossible_value_is_told_with_its_line(tmp_path: Path, old: str, new: str) -> None:
    text = edited(PROFILE_YAML, old, new)
    assert problem_with(tmp_path, text).line == line_of(text, new)


def test_an_unknown_field_is_told_with_the_field_that_is_near(tmp_path: Path) -> None:
    text = PROFILE_YAML + "logn: root\n"
    problem = problem_with(tmp_path, text)
    assert (problem.line, problem.field) == (line_of(text, "logn"), "logn")
    assert problem.problem == "is no field that is known here"
    assert problem.remedy == "login"


def test_a_misspelt_field_is_told_before_it_is_missed(tmp_path: Path) -> None:
    text = edited(PROFILE_YAML, "disk_bus: virtio", "disk_buss: virtio")
    problem = problem_with(tmp_path, text)
    assert (problem.line, problem.field) == (line_of(text, "disk_buss"), "hardware.disk_buss")
    assert problem.remedy == "disk_bus"


def test_an_unknown_field_within_a_list_is_told_with_what_fits_there(tmp_path: Path) -> None:
    text = edited(PROFILE_YAML, "    source: https", "    sorce: https")
    problem = problem_with(tmp_path, text)
    assert (problem.field, problem.remedy) == ("claims.0.sorce", "source")
    assert problem.line == line_of(text, "sorce:")


def test_a_field_like_no_other_comes_without_advice(tmp_path: Path) -> None:
    assert problem_with(tmp_path, PROFILE_YAML + "zzz: 1\n").remedy is None


def test_a_missing_field_is_told_with_the_line_of_what_lacks_it(tmp_path: Path) -> None:
    text = edited(PROFILE_YAML, "  nic: virtio_net\n", "")
    problem = problem_with(tmp_path, text)
    assert (problem.field, problem.problem) == ("drivers.nic", "is missing")
    assert problem.line == line_of(text, "drivers:")


@pytest.mark.parametrize(
    ("wrong", "near"), [("q36", "q35"), ("or", None)], ids=["like another", "like none"]
)
def test_a_wrong_word_is_told_with_the_nearest_that_is_allowed(
    tmp_path: Path, wrong: str, near: str | None
) -> None:
    text = edited(PROFILE_YAML, "machine_type: q35", f"machine_type: {wrong}")
    problem = problem_with(tmp_path, text)
    assert (problem.line, problem.field) == (
        line_of(text, "machine_type:"),
        "hardware.machine_type",
    )
    assert repr(wrong) in problem.problem
    assert problem.remedy == near


def test_a_wrong_type_is_told_with_what_stood_there(tmp_path: Path) -> None:
    text = edited(PROFILE_YAML, 'release: "12"', "release: 12")
    problem = problem_with(tmp_path, text)
    assert (problem.line, problem.field) == (line_of(text, "release:"), "release")
    assert problem.problem.endswith(", was 12")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "should be a mapping"),
        (b"- a\n- b\n", "should be a mapping"),
        (b"id: \xff\xfe\n", "can not be read"),
        (b"id: a\x00b\n", "can not be read"),
        (b"id: a\x1bb\n", "can not be read"),
        (b"a: " + b"[" * 400 + b"]" * 400, "can not be read"),
        (b"id: x\n" + b"#" * SIZE_LIMIT, "is larger than 1 MiB"),
        (b"&a {id: *a}", "holds itself"),
    ],
    ids=["empty", "list", "no UTF-8", "NUL", "escape", "deep", "large", "holds itself"],
)
def test_a_file_that_is_no_profile_at_all_is_refused(
    tmp_path: Path, text: bytes, words: str
) -> None:
    assert words in problem_with(tmp_path, text).problem


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFileError, match="can not be read"):
        read_document(tmp_path / "none.yaml", Profile)


def test_aliases_can_not_make_a_small_file_large(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    problem = problem_with(tmp_path, "\n".join(lines))
    assert "too many values" in problem.problem


def test_a_tag_of_yaml_makes_no_object(tmp_path: Path) -> None:
    target = tmp_path / "made"
    tag = f"recipe: !!python/object/apply:pathlib.Path.mkdir [{target}]"
    problem = problem_with(tmp_path, edited(PROFILE_YAML, "recipe: debian-12", tag))
    assert problem.field == "recipe"
    assert not target.exists()


def test_nearest_keeps_silent_where_nothing_is_near() -> None:
    assert nearest("debain-12", ["debian-12", "rhel-9"]) == "debian-12"
    assert nearest("windows", ["debian-12", "rhel-9"]) is None


# What a profile may say


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("minimum: 512", "minimum: 2048", "minimum 2048 is above recommended 1024"),
        ("minimum: 512", "minimum: 0", "greater than 0"),
        ("end_of_life: 2026", "end_of_life: 2020", "must follow in this order"),
        ("variants: [bios, uefi]", "variants: [bios, bios]", "name one more than once"),
        ("variants: [bios, uefi]", "variants: []", "at least 1 item"),
        ("[boot.ready, boot.pause]", "[boot.ready, boot.ready]", "boot.ready more than once"),
        ("recipe: debian-12", "recipe: ../../etc", "should match pattern"),
    ],
)
def test_facts_that_contradict_each_other_are_refused(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    assert words in problem_with(tmp_path, edited(PROFILE_YAML, old, new)).problem


def test_a_claim_is_found_with_its_source() -> None:
    profile = a_profile(supported=["boot.ready"], unsupported=["boot.pause"])
    claims = [profile.claim_of(feature) for feature in ("boot.ready", "boot.pause")]
    assert [claim and claim.claim for claim in claims] == [
        ClaimKind.SUPPORTED,
        ClaimKind.UNSUPPORTED,
    ]
    assert profile.claim_of("boot.reset") is None


def test_a_known_issue_holds_to_the_end_of_its_last_day() -> None:
    issue = a_known_issue(expires=date(2024, 6, 30))
    reason = "a stall of 20 s"
    assert issue.matches("boot.ready", reason, today=date(2024, 6, 30))
    assert not issue.matches("boot.ready", reason, today=date(2024, 7, 1))


def test_a_known_issue_is_of_its_feature_and_its_reason_alone() -> None:
    issue = a_known_issue("boot.ready", pattern=r"stall of \d+ s")
    today = date(2024, 1, 1)
    assert issue.matches("boot.ready", "saw a stall of 20 s there", today=today)
    assert not issue.matches("boot.reset", "a stall of 20 s", today=today)
    assert not issue.matches("boot.ready", "a stall of many s", today=today)


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="pattern is no regular expression"):
        a_known_issue(pattern="(")


def test_the_digest_follows_the_facts() -> None:
    assert digest(a_profile()) == digest(a_profile())
    assert digest(a_profile()) != digest(a_profile(release="12.1"))


# The folder of profiles, crossed with catalogue and recipes


def test_profiles_are_loaded_in_the_order_of_their_ids(folder: Path) -> None:
    older = edited(PROFILE_YAML, "id: debian-12\nname", "id: debian-11\nname")
    (folder / "debian-12.yaml").write_text(PROFILE_YAML, encoding="utf-8")
    (folder / "debian-11.yaml").write_text(older, encoding="utf-8")
    assert ids(load_profiles(folder)) == ["debian-11", "debian-12"]


def test_a_folder_without_a_profile_is_a_problem(folder: Path) -> None:
    with pytest.raises(BadFileError, match="holds no profile"):
        load_profiles(folder)


def test_a_profile_bears_the_name_of_its_file(folder: Path) -> None:
    (problem,) = problems_of(folder, PROFILE_YAML, name="debian-13")
    assert (problem.field, problem.line) == ("id", 1)
    assert "'debian-12' is not the file's name" in problem.problem


def test_a_claim_of_no_feature_is_told_with_the_nearest_one(folder: Path) -> None:
    text = edited(PROFILE_YAML, "[boot.ready, boot.pause]", "[boot.ready, boot.paus]")
    (problem,) = problems_of(folder, text)
    assert (problem.field, problem.remedy) == ("claims", "boot.pause")
    assert problem.line == line_of(text, "boot.paus")


def test_a_feature_is_not_taken_for_a_longer_one_on_an_earlier_line(folder: Path) -> None:
    text = edited(PROFILE_YAML, "[boot.ready, boot.pause]", "[boot.ready,\n      boot.read]")
    (problem,) = problems_of(folder, text)
    assert problem.line == line_of(text, "boot.read]")


def test_a_known_issue_of_no_feature_is_told_as_one(folder: Path) -> None:
    text = PROFILE_YAML + KNOWN_ISSUE_YAML
    (problem,) = problems_of(folder, text)
    assert (problem.field, problem.remedy) == ("known_issues", "boot.ready")
    assert problem.line == line_of(text, "boot.reedy")


def test_a_recipe_that_is_not_there_is_told_with_the_nearest_one(folder: Path) -> None:
    text = edited(PROFILE_YAML, "recipe: debian-12", "recipe: debian-21")
    (problem,) = problems_of(folder, text)
    assert (problem.field, problem.remedy) == ("recipe", "debian-12")
    assert problem.line == line_of(text, "recipe:")


def test_every_problem_of_every_file_is_found(folder: Path) -> None:
    (folder / "a.yaml").write_text("id: [", encoding="utf-8")
    problems = problems_of(folder, edited(PROFILE_YAML, "recipe: debian-12", "recipe: none"))
    assert [(p.file.name, p.field) for p in problems] == [
        ("a.yaml", "YAML"),
        ("debian-12.yaml", "recipe"),
    ]


# The catalogue


def test_the_project_s_own_catalogue_and_profiles_are_sound() -> None:
    assert "boot.ready" in [feature.id for feature in load_catalogue()]
    assert load_profiles()


def test_a_feature_knows_its_suite() -> None:
    assert a_feature("isolation.network.segment").suite == "isolation"


def test_a_catalogue_names_each_feature_once() -> None:
    with pytest.raises(ValidationError, match=r"features name boot\.ready more than once"):
        Catalogue(features=(a_feature("boot.ready"), a_feature("boot.ready")))


def test_a_feature_builds_on_one_that_exists() -> None:
    with pytest.raises(ValidationError, match=r"boot\.pause builds on boot\.nil, which is no"):
        Catalogue(features=(a_feature("boot.pause", builds_on="boot.nil"),))


# The words that choose profiles


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
    ],
)
def test_words_choose_profiles(words: str, meant: list[str]) -> None:
    assert ids(select(GUESTS, [words])) == meant


def test_several_words_choose_each_profile_once_in_the_profiles_order() -> None:
    chosen = select(GUESTS, ["ubuntu-22.04", "debian-*", "debian-12"])
    assert ids(chosen) == ["debian-9", "debian-12", "ubuntu-22.04"]


@pytest.mark.parametrize(
    ("words", "sentence", "remedy"),
    [
        (
            "nosuch",
            "there is no profile 'nosuch'",
            "one of debian-9, debian-12, ubuntu-22.04, ubuntu-24.04",
        ),
        ("debain-12", "there is no profile 'debain-12'", "debian-12"),
        ("rhel-*", "there is no profile 'rhel-*'", "one of debian-9"),
        ("famly=debian", "'famly' is no field to select by", "family"),
        ("shape=round", "'shape' is no field", "one of id, name, family, release"),
        ("family=rhel", "no profile fits 'family=rhel'", "family: debian, ubuntu"),
        ("release>99", "no profile fits 'release>99'", "release: 12, 22.04, 24.04, 9"),
        ("family=debian &", "understood at column 15", "'family=debian and release>=12'"),
        ("family=debian and", "understood at its end", "'family=debian and release>=12'"),
    ],
)
def test_words_that_choose_nothing_are_answered_with_what_would(
    words: str, sentence: str, remedy: str
) -> None:
    with pytest.raises(UsageError) as caught:
        select(GUESTS, [words])
    assert sentence in caught.value.sentence
    assert remedy in str(caught.value.remedy)


def test_one_wrong_word_among_right_ones_is_not_passed_over() -> None:
    with pytest.raises(UsageError, match="nosuch"):
        select(GUESTS, ["debian-12", "nosuch"])
