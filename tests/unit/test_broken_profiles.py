"""Broken profiles, each refused with file, line, what is wrong, and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass
from ruamel.yaml import YAML

from harness.profiles.loader import examine_profiles
from tests.unit.builders import PROFILE_YAML, edited, line_of

FILE = "debian-12.yaml"


@dataclass(frozen=True)
class Broken:
    """One entry of broken_profiles.yaml, which documents its fields."""

    name: str
    field: str
    problem: str
    at: str
    remedy: str
    old: str = ""
    new: str = ""
    added: str = ""
    files: tuple[tuple[str, str], ...] = ()
    reported_in: str = FILE


def load_broken() -> list[Broken]:
    text = Path(__file__).with_name("broken_profiles.yaml").read_text(encoding="utf-8")
    entries = YAML(typ="safe", pure=True).load(text)
    for entry in entries:
        entry["files"] = tuple(entry.get("files", {}).items())
    return TypeAdapter(list[Broken]).validate_python(entries)


BROKEN = load_broken()


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_a_broken_profile_is_refused_with_place_and_remedy(broken: Broken, folder: Path) -> None:
    text = edited(PROFILE_YAML, broken.old, broken.new) if broken.old else PROFILE_YAML
    for name, content in ((FILE, text + broken.added), *broken.files):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")

    problems = examine_profiles(folder).problems

    reported = [p for p in problems if p.field == broken.field and broken.problem in p.problem]
    assert reported, [str(problem) for problem in problems]
    assert reported[0].file == folder / broken.reported_in
    where = (folder / broken.reported_in).read_text(encoding="utf-8")
    assert reported[0].line == line_of(where, broken.at)
    assert broken.remedy in str(reported[0].remedy)


def test_the_sound_profile_is_not_refused(folder: Path) -> None:
    """The control: nothing is wrong before a mistake is made."""
    (folder / FILE).write_text(PROFILE_YAML, encoding="utf-8")
    assert examine_profiles(folder).problems == []
    assert len(BROKEN) >= 40


def test_one_id_twice_is_told_with_both_places(folder: Path) -> None:
    for name in (FILE, "debian.yaml"):
        (folder / name).write_text(PROFILE_YAML, encoding="utf-8")
    (problem,) = examine_profiles(folder).problems
    assert problem.file == folder / "debian.yaml"
    assert f"is also the id of {folder / FILE}:1" in problem.problem


def test_all_of_a_file_s_problems_are_told_at_once(folder: Path) -> None:
    text = edited(PROFILE_YAML, "tpm: optional", "tpm: maybe")
    (folder / FILE).write_text(edited(text, "listed: true", "listd: true"), encoding="utf-8")
    fields = {problem.field for problem in examine_profiles(folder).problems}
    assert {"hyperv.listd", "hardware.tpm"} <= fields
