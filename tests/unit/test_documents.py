"""YAML files: every problem is reported with its position, and no file can do harm."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from harness.errors import BadFileError
from harness.profiles.documents import nearest, read_document
from harness.profiles.model import Profile
from harness.profiles.source_map import SIZE_LIMIT
from tests.unit.builders import PROFILE_YAML, edited, line_of


def problem_with(tmp_path: Path, text: str | bytes) -> BadFileError:
    """The first problem of a profile with this text."""
    file = tmp_path / "debian-12.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadFileError) as caught:
        read_document(file, Profile)
    assert caught.value.file == file
    return caught.value


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
    assert problem.problem == f"is a duplicate of line {line_of(PROFILE_YAML, 'recipe:')}"


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
    assert problem.problem == "is not a known field here"
    assert problem.remedy == "login"


def test_a_misspelt_field_is_told_before_it_is_missed(tmp_path: Path) -> None:
    text = edited(PROFILE_YAML, "disk_buses: [", "disk_busses: [")
    problem = problem_with(tmp_path, text)
    assert (problem.line, problem.field) == (line_of(text, "disk_busses"), "hardware.disk_busses")
    assert problem.remedy == "disk_buses"


def test_an_unknown_field_within_a_list_is_told_with_what_fits_there(tmp_path: Path) -> None:
    text = edited(
        PROFILE_YAML, "    claim: supported\n    source:", "    claim: supported\n    sorce:"
    )
    problem = problem_with(tmp_path, text)
    assert (problem.field, problem.remedy) == ("claims.0.sorce", "source")
    assert problem.line == line_of(text, "sorce:")


def test_a_field_like_no_other_is_told_with_all_that_there_are(tmp_path: Path) -> None:
    remedy = problem_with(tmp_path, PROFILE_YAML + "zzz: 1\n").remedy
    assert remedy is not None
    assert remedy.startswith("one of id, name, family, release")


def test_a_missing_field_is_told_with_the_line_of_what_lacks_it(tmp_path: Path) -> None:
    text = edited(PROFILE_YAML, ", shutdown_seconds: 30}", "}")
    problem = problem_with(tmp_path, text)
    assert (problem.field, problem.problem) == ("budgets.shutdown_seconds", "is missing")
    assert problem.line == line_of(text, "budgets:")


@pytest.mark.parametrize(
    ("wrong", "near"),
    [("q36", "q35"), ("or", "one of q35, pc, virt")],
    ids=["like another", "like none"],
)
def test_a_wrong_word_is_told_with_the_nearest_that_is_allowed(
    tmp_path: Path, wrong: str, near: str
) -> None:
    text = edited(PROFILE_YAML, "machine_types: [q35, pc]", f"machine_types: [{wrong}]")
    problem = problem_with(tmp_path, text)
    assert (problem.line, problem.field) == (
        line_of(text, "machine_types:"),
        "hardware.machine_types.0",
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
        (b"id: \xff\xfe\n", "cannot be read"),
        (b"id: a\x00b\n", "cannot be read"),
        (b"id: a\x1bb\n", "cannot be read"),
        (b"a: " + b"[" * 400 + b"]" * 400, "cannot be read"),
        (b"id: x\n" + b"#" * SIZE_LIMIT, "is larger than 1 MiB"),
        (b"&a {id: *a}", "contains itself"),
    ],
    ids=["empty", "list", "no UTF-8", "NUL", "escape", "deep", "large", "holds itself"],
)
def test_a_file_that_is_no_profile_at_all_is_refused(
    tmp_path: Path, text: bytes, words: str
) -> None:
    assert words in problem_with(tmp_path, text).problem


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFileError, match="cannot be read"):
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
