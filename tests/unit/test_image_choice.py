"""Ways to an image: the one that is chosen, and the error if there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.image_store.image_choice import recipe_for, recipe_named
from harness.image_store.media import MediaShelf, Medium
from harness.image_store.recipe import CloudImageRecipe, InstallRecipe, recipe_ids
from harness.profiles.loader import load_profiles
from harness.profiles.model import Method, Profile
from harness.provisioning.prerequisites import missing_prerequisite


def profile_of(identifier: str) -> Profile:
    return next(profile for profile in load_profiles() if profile.id == identifier)


def put_on_shelf(root: Path, guest: str) -> Path:
    file = root / f"{guest}.iso"
    file.write_bytes(b"a medium")
    medium = Medium(
        path=file, size=8, sha256="0" * 64, volume=guest, bootable=True, profiles=(guest,)
    )
    MediaShelf(root).put(medium)
    return file


def download(root: Path, name: str) -> None:
    (root / "downloads").mkdir()
    (root / "downloads" / name).write_bytes(b"an image")


def test_a_guest_is_installed_where_its_image_was_not_downloaded(tmp_path: Path) -> None:
    rhel = profile_of("rhel-9.6")
    put_on_shelf(tmp_path, rhel.id)
    recipe = recipe_for(rhel, tmp_path)
    assert isinstance(recipe, InstallRecipe)
    assert recipe.method is Method.KICKSTART
    download(tmp_path, "rhel-9.6-x86_64-kvm.qcow2")
    assert isinstance(recipe_for(rhel, tmp_path), CloudImageRecipe)


def test_a_guests_name_goes_before_a_recipes(tmp_path: Path) -> None:
    """Most recipes are called as their guest is."""
    put_on_shelf(tmp_path, "rhel-9.6")
    profiles = load_profiles()
    assert recipe_named("rhel-9.6", profiles, tmp_path).kind == "install"
    assert recipe_named("debian-12", profiles, tmp_path).kind == "bootstrap"
    assert recipe_named("debian-12-installer", profiles, tmp_path).kind == "install"
    with pytest.raises(UsageError, match="no recipe 'debian-1'"):
        recipe_named("debian-1", profiles, tmp_path)


def test_a_recipe_that_bears_a_guests_name_is_that_guests() -> None:
    recipes = {profile.id: profile.recipe for profile in load_profiles()}
    shared = set(recipes) & set(recipe_ids())
    assert shared
    assert {name: recipes[name] for name in shared} == {name: name for name in shared}


def test_both_ways_are_told_where_none_is_open(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="provides it to customers only") as error:
        recipe_for(profile_of("rhel-9.6"), tmp_path)
    remedy = str(error.value.remedy)
    assert "https://access.redhat.com/" in remedy
    assert "guestcert media add FILE" in remedy


def test_a_recipe_that_is_asked_for_is_the_one(tmp_path: Path) -> None:
    rhel = profile_of("rhel-9.6")
    put_on_shelf(tmp_path, rhel.id)
    assert recipe_for(rhel, tmp_path, "rhel-9.6").kind == "cloud-image"
    with pytest.raises(UsageError, match=r"installs debian-12, and not rhel-9\.6"):
        recipe_for(rhel, tmp_path, "debian-12-installer")


@pytest.mark.parametrize("lack", ["is gone", "changed after it was added"])
def test_a_medium_that_is_not_as_it_was_is_told(tmp_path: Path, lack: str) -> None:
    guest = profile_of("windows-server-2022")
    file = put_on_shelf(tmp_path, guest.id)
    assert missing_prerequisite(guest, tmp_path) is None
    if lack == "is gone":
        file.unlink()
    else:
        file.write_bytes(b"")
    error = missing_prerequisite(guest, tmp_path)
    assert error is not None
    assert error.sentence == f"the medium of {guest.id}, {file}, {lack}"


def test_a_missing_product_key_is_lacking_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "harness.provisioning.product_keys.keyring.get_password", lambda service, name: None
    )
    guest = profile_of("windows-xp-sp3")
    put_on_shelf(tmp_path, guest.id)
    error = missing_prerequisite(guest, tmp_path)
    assert error is not None
    assert "product key" in error.sentence
    monkeypatch.setenv("GUESTCERT_KEY_WINDOWS_XP_SP3", "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE")
    assert missing_prerequisite(guest, tmp_path) is None


@pytest.mark.parametrize(
    ("guest", "remedy"),
    [
        ("windows-10", "guestcert media add FILE"),
        ("alpine-3.22", "--image FILE"),
        ("debian-12", ""),
    ],
)
def test_what_a_guest_lacks_is_told(tmp_path: Path, guest: str, remedy: str) -> None:
    error = missing_prerequisite(profile_of(guest), tmp_path)
    output = str(error.remedy) if error else ""
    assert bool(output) is bool(remedy)
    assert remedy in output
