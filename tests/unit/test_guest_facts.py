"""What a run's workers agree on of a guest."""

from __future__ import annotations

from pathlib import Path

from harness.image_store.store import BaseImage
from harness.lab.guest_facts import GuestFacts, agreed, known


def facts(build: str) -> GuestFacts:
    return GuestFacts(BaseImage(Path(f"/images/{build}"), build * 64, build), "p" * 64)


def test_all_workers_take_the_image_that_the_first_one_found(tmp_path: Path) -> None:
    folder = tmp_path / "facts"
    assert agreed(folder, "debian-12", facts("a")) == facts("a")
    assert agreed(folder, "debian-12", facts("b")) == facts("a")
    assert known(folder, "debian-12") == facts("a")


def test_guests_are_told_apart_and_nothing_else_is_left(tmp_path: Path) -> None:
    agreed(tmp_path, "debian-1", facts("a"))
    agreed(tmp_path, "debian-11", facts("b"))
    assert known(tmp_path, "debian-1") == facts("a")
    assert known(tmp_path, "debian-11") == facts("b")
    assert known(tmp_path, "debian-12") is None
    assert sorted(file.name for file in tmp_path.iterdir()) == ["debian-1.json", "debian-11.json"]
