"""Real installers on real machines: a failure names its state and its cause."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.hypervisors.accelerator import choose_accelerator
from harness.hypervisors.base import Hypervisor
from harness.hypervisors.connection import open_hypervisor
from harness.image_store.host_archive import host_archive
from harness.image_store.places import store_root
from harness.image_store.qemu_img import create_disk
from harness.image_store.recipe import InstallRecipe, load_recipe
from harness.lab.install_builder import InstallBuilder, Source
from harness.lab.ownership import own
from harness.lab.reaper import reap_run
from harness.lab.workspace import Workspace
from harness.profiles.hardware import Firmware
from harness.profiles.loader import load_profiles
from harness.profiles.model import Method
from harness.provisioning.answer_files import AnswerFile, AnswerSet, InstallerStart, Location
from harness.provisioning.answer_media import AnswerMedia, write_iso
from harness.provisioning.flow import FLOWS, State
from harness.provisioning.installation_progress import InstallationError
from harness.provisioning.installer import Installer
from tests.workers import of_this_worker

RUN = of_this_worker("e2e-installation")


@pytest.fixture
def hypervisor() -> Iterator[Hypervisor]:
    hypervisor = open_hypervisor(None)
    yield hypervisor
    hypervisor.close()


@pytest.fixture
def installing(hypervisor: Hypervisor) -> Iterator[InstallBuilder]:
    """An installation's builder whose folder QEMU's user can enter."""
    root = store_root()
    owner = own(RUN)
    Workspace(root, owner).create()
    accelerator = choose_accelerator(None, root).accelerator
    yield InstallBuilder(lambda: hypervisor, root, owner, accelerator)
    reap_run(hypervisor, root, RUN)


@pytest.fixture
def folder(installing: InstallBuilder) -> Path:
    folder = Workspace(installing.root, installing.owner).folder / "image"
    folder.mkdir()
    folder.chmod(0o755)
    return folder


def failure_of(
    installing: InstallBuilder, recipe: InstallRecipe, folder: Path
) -> InstallationError:
    output: list[str] = []
    with pytest.raises(InstallationError) as failure:
        installing.build(recipe, folder, output.append)
    evidence = failure.value.evidence
    assert isinstance(evidence, Path)
    assert evidence.stat().st_size > 0
    assert (folder / "evidence" / "console.log").stat().st_size > 0
    assert State.INSTALLER in output
    return failure.value


def recipe(**changes: object) -> InstallRecipe:
    found = load_recipe("debian-12-installer")
    assert isinstance(found, InstallRecipe)
    return found.model_copy(update=changes)


def test_a_rejected_answer_file_is_told(
    installing: InstallBuilder, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = tmp_path / "preseed.cfg.j2"
    template.write_text("broken\n")
    monkeypatch.setattr("harness.provisioning.rendering.overrides_folder", lambda: tmp_path)
    failure = failure_of(installing, recipe(), folder)
    assert failure.problem == "the answer file was rejected"
    assert failure.state is State.INSTALLER


def test_a_mirror_that_answers_404_is_told(installing: InstallBuilder, folder: Path) -> None:
    mirror = f"{host_archive()}/nowhere"
    failure = failure_of(installing, recipe(mirror=mirror), folder)
    assert failure.problem.startswith("the mirror cannot be reached")
    assert failure.state is State.INSTALLER


@pytest.mark.parametrize("firmware", [Firmware.BIOS, Firmware.UEFI])
def test_a_medium_that_is_not_bootable_is_told(
    installing: InstallBuilder, folder: Path, firmware: Firmware
) -> None:
    (folder / "work").mkdir()
    medium = folder / "work" / "medium.iso"
    write_iso([AnswerFile(Location.CD, "readme.txt", b"nothing to boot")], medium, "EMPTY")
    create_disk(folder / "image.qcow2", "4G")
    profile = next(p for p in load_profiles() if p.id == "debian-12")
    profile = profile.model_copy(update={"variants": (firmware,)})
    source = Source(medium, None, None, ())
    nothing = AnswerSet((), InstallerStart())
    definition = installing.definition(profile, source, nothing, AnswerMedia(), folder, None)
    installer = Installer(
        installing.hypervisor().define, FLOWS[Method.BSDINSTALL], folder / "evidence", print
    )
    with pytest.raises(InstallationError) as failure:
        installer.run(definition, "token")
    assert failure.value.problem == "the medium is not bootable"
    assert failure.value.state is State.MEDIUM
