"""Building an image by installation: what goes into it, and the machine that it takes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from pycdlib.pycdlib import PyCdlib

from harness.errors import HarnessError, UsageError
from harness.hypervisors.capabilities import REMOTE_DISKS
from harness.hypervisors.definitions import Accelerator
from harness.hypervisors.facets.display import Key
from harness.image_store.builder import file_digest
from harness.image_store.media import MediaShelf, Medium
from harness.image_store.recipe import InstallRecipe, load_recipe
from harness.lab.install_builder import InstallBuilder
from harness.lab.ownership import own
from harness.profiles.model import Method
from tests.fakes.hypervisor import FakeHypervisor
from tests.fakes.talking import WindowsSetups, cds

UEFI, BIOS = "windows-server-2022", "windows-7-sp1"


def a_medium(file: Path, volume: str, *profiles: str) -> Medium:
    iso = PyCdlib()
    iso.new(vol_ident=volume)
    iso.add_fp(io.BytesIO(volume.encode()), len(volume), "/FILE.;1")
    iso.write(str(file))
    iso.close()
    digest, size = file_digest(file), file.stat().st_size
    return Medium(
        path=file, size=size, sha256=digest, volume=volume, bootable=True, profiles=profiles
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store with a medium of Windows, and one with drivers for it."""
    root = tmp_path / "store"
    (root / "image").mkdir(parents=True)
    shelf = MediaShelf(root)
    shelf.put(a_medium(root / "windows.iso", "WINDOWS", UEFI, BIOS))
    shelf.put(a_medium(root / "virtio-win.iso", "virtio-win-0.1.1"))
    return root


def installing(root: Path, hypervisor: FakeHypervisor) -> InstallBuilder:
    return InstallBuilder(lambda: hypervisor, root, own("run"), Accelerator.KVM)


def windows(guest: str = UEFI) -> InstallRecipe:
    return InstallRecipe(id=guest, kind="install", guest=guest, method=Method.AUTOUNATTEND)


def inputs(root: Path, recipe: InstallRecipe) -> dict[str, str]:
    return dict(installing(root, FakeHypervisor()).inputs(recipe, lambda _: None))


def test_every_medium_that_went_in_is_named(root: Path) -> None:
    setups = WindowsSetups()
    made = installing(root, setups).build(windows(), root / "image", lambda _: None)
    assert {material.name: material.sha256 for material in made} == {
        name: file_digest(root / name) for name in ("windows.iso", "virtio-win.iso")
    }
    (machine,) = setups.defined
    names = [path.name for path in cds(machine)]
    assert names == ["windows.iso", "answers.iso", "virtio-win.iso"]
    assert not setups.machines
    assert not setups.networks


def test_other_drivers_make_another_image(root: Path) -> None:
    before = inputs(root, windows())
    MediaShelf(root).put(a_medium(root / "newer.iso", "virtio-win-0.1.2"))
    after = inputs(root, windows())
    changed = {name for name in after if before.get(name) != after[name]}
    assert changed == {"drivers"}
    assert after["drivers"] == file_digest(root / "newer.iso")


@pytest.mark.parametrize("name", ["windows.iso", "virtio-win.iso"])
def test_a_medium_that_was_altered_is_not_used(root: Path, name: str) -> None:
    content = bytearray((root / name).read_bytes())
    content[-1] ^= 1
    (root / name).write_bytes(content)
    setups = WindowsSetups()
    with pytest.raises(HarnessError, match=rf"{name} changed after it was added") as error:
        installing(root, setups).build(windows(), root / "image", lambda _: None)
    assert str(error.value.remedy).startswith("guestcert media add")
    assert setups.defined == []


@pytest.mark.parametrize(
    ("guest", "override"),
    [
        (UEFI, "setup.cmd.j2"),
        (UEFI, "Autounattend.xml.j2"),
        ("debian-12", "preseed.cfg.j2"),
        ("debian-12", "linux-setup.sh.j2"),
    ],
)
def test_other_answers_make_another_image(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, guest: str, override: str
) -> None:
    """In parts too that only some builds have: a mirror's, a certificate's."""
    recipe = windows() if guest == UEFI else load_recipe("debian-12-installer")
    assert isinstance(recipe, InstallRecipe)
    monkeypatch.setattr("harness.provisioning.rendering.overrides_folder", lambda: tmp_path)
    before = inputs(root, recipe)
    assert inputs(root, recipe) == before
    extended = f'{{% extends "guestcert/{override}" %}}'
    (tmp_path / override).write_text(extended, encoding="utf-8")
    assert inputs(root, recipe) == before
    given = {
        "setup.cmd.j2": "{{ answers.certificate.thumbprint }}",
        "preseed.cfg.j2": "{{ answers.mirror.proxy }}",
    }
    (tmp_path / override).write_text(given.get(override, "words"), encoding="utf-8")
    assert inputs(root, recipe)["answers"] != before["answers"]


def test_a_key_is_pressed_where_the_medium_asks_for_one(root: Path) -> None:
    """Under BIOS it asks only where a disk could be booted too, and this one is empty."""
    asks = WindowsSetups(keyed=True)
    installing(root, asks).build(windows(UEFI), root / "image", lambda _: None)
    assert asks.made[0].keys == [Key.SPACE]
    (root / "second").mkdir()
    starts = WindowsSetups()
    installing(root, starts).build(windows(BIOS), root / "second", lambda _: None)
    assert starts.made[0].keys == []


def test_a_guest_without_a_medium_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no installation medium of windows-7-sp1") as error:
        inputs(tmp_path, windows(BIOS))
    assert error.value.remedy == "guestcert media add FILE"


def test_it_is_refused_where_the_disk_would_stay_on_another_host(tmp_path: Path) -> None:
    elsewhere = FakeHypervisor(uri="hyperv://host.example/", capabilities=frozenset({REMOTE_DISKS}))
    builder = InstallBuilder(lambda: elsewhere, tmp_path, own("run"), Accelerator.HYPERV)
    recipe = load_recipe("debian-12-installer")
    with pytest.raises(UsageError, match=r"built on hyperv://host\.example/: its disks") as caught:
        builder.build(recipe, tmp_path, lambda _: None)
    assert "guestcert images build debian-12-installer" in str(caught.value.remedy)
    assert elsewhere.defined == []
