"""Recipes: what they take from families, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import BadFileError, UsageError
from harness.image_store.recipe import BootstrapRecipe, load_recipe, recipe_ids
from harness.profiles.loader import load_profiles

FAMILY = """\
kind: bootstrap
distribution: debian
architecture: amd64
disk_gib: 4
packages: [systemd]
"""


@pytest.fixture
def images(tmp_path: Path) -> Path:
    (tmp_path / "families").mkdir()
    (tmp_path / "families" / "debian.yaml").write_text(FAMILY, encoding="utf-8")
    recipe = "parent: debian\nid: debian-12\nsuite: bookworm\npackages: [sudo]\n"
    (tmp_path / "debian-12.yaml").write_text(recipe, encoding="utf-8")
    return tmp_path


def test_a_recipe_adds_its_packages_to_its_familys(images: Path) -> None:
    recipe = load_recipe("debian-12", images)
    assert isinstance(recipe, BootstrapRecipe)
    assert (recipe.suite, set(recipe.packages)) == ("bookworm", {"systemd", "sudo"})


def test_an_unknown_recipe_is_told_with_the_nearest(images: Path) -> None:
    with pytest.raises(UsageError, match="no recipe 'debian-21'") as error:
        load_recipe("debian-21", images)
    assert "debian-12" in str(error.value.remedy)


def test_a_familys_mistake_is_told_where_it_stands(images: Path) -> None:
    family = images / "families" / "debian.yaml"
    family.write_text(FAMILY.replace("disk_gib: 4", "disk_gib: four"), encoding="utf-8")
    with pytest.raises(BadFileError) as error:
        load_recipe("debian-12", images)
    assert (error.value.file, error.value.line, error.value.field) == (family, 4, "disk_gib")


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("id: a\nkind: bootstrp\n", 2, "'bootstrp' is not a kind of recipe"),
        ("id: a\n", 1, "is missing"),
        ("id: b\nkind: import\nfile: x.qcow2\n", 1, "'b' is not the file's name"),
        ("id: a\nkind: cloud-image\nimage: x\n", 1, "either folder"),
        (
            "id: a\nkind: cloud-image\nimage: x\nfolder: https://v.test/\n",
            1,
            "folder needs checksums",
        ),
        (
            "id: a\nkind: cloud-image\nimage: x\nfolder: https://v.test/\n"
            "checksums: {file: S, algorithm: sha256, signature: S.gpg}\n",
            5,
            "signature needs a keyring",
        ),
        (
            "id: a\nkind: install\nguest: b\nmethod: preseed\nnetwork_boot:\n"
            "  {suite: s, package: p, kernel: ../../../../etc/shadow, initrd: usr/i}\n",
            6,
            "should match pattern",
        ),
        (
            "id: a\nkind: cloud-image\nimage: x\nfolder: http://v.test/\n"
            "checksums: {file: S, algorithm: sha256}\n",
            4,
            "should match pattern",
        ),
        ("id: a\nkind: import\nfile: x\nfille: y\n", 4, "is not a known field"),
    ],
)
def test_a_wrong_recipe_is_told_with_its_line(
    images: Path, text: str, line: int, problem: str
) -> None:
    (images / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadFileError, match=problem) as error:
        load_recipe("a", images)
    assert error.value.line == line


def test_every_recipe_can_be_read_and_is_some_guests() -> None:
    used = {profile.recipe for profile in load_profiles()}
    assert recipe_ids()
    for identifier in recipe_ids():
        assert load_recipe(identifier).id == identifier
    assert used - {None} <= set(recipe_ids())
