"""Every method's answers, seen from inside the very machine that would be installed."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pycdlib.pycdlib import PyCdlib

from harness.hypervisors.accelerator import choose_accelerator
from harness.hypervisors.base import Hypervisor, Machine
from harness.hypervisors.connection import open_hypervisor
from harness.hypervisors.definitions import DirectBoot, MachineDefinition, Ownership
from harness.image_store.builder import file_digest
from harness.image_store.media import MediaShelf, Medium
from harness.image_store.places import store_root
from harness.image_store.recipe import InstallRecipe
from harness.lab import install_builder as installing_module
from harness.lab.install_builder import InstallBuilder
from harness.lab.ownership import own
from harness.lab.reaper import reap_run
from harness.lab.workspace import Workspace
from harness.profiles.hardware import Firmware, Tpm
from harness.profiles.loader import load_profiles
from harness.profiles.model import Method, Profile
from harness.provisioning.answer_files import METHODS, AnswerSet, Location, answer_set
from harness.provisioning.answers import Answers
from harness.provisioning.flow import State
from harness.provisioning.installation_progress import InstallationError
from tests.contract.inspector import make_inspector

GUESTS = {
    "debian-7": Method.PRESEED,
    "ubuntu-24.04": Method.AUTOINSTALL,
    "rhel-5.11": Method.KICKSTART,
    "rhel-9.6": Method.KICKSTART,
    "sles-11-sp4": Method.AUTOYAST,
    "sles-16.0": Method.AGAMA,
    "freebsd-14.3": Method.BSDINSTALL,
    "windows-server-2022": Method.AUTOUNATTEND,
    "windows-11": Method.AUTOUNATTEND,
    "windows-2000-professional": Method.WINNT_SIF,
    "windows-xp-sp3": Method.WINNT_SIF,
}
WINDOWS = {Method.AUTOUNATTEND, Method.WINNT_SIF}
DRIVER_FOLDER = re.compile(r"<Path>[D-H]:\\([^<]+)</Path>")


def test_there_is_a_guest_for_every_method() -> None:
    assert set(GUESTS.values()) == set(METHODS)


@dataclass
class Looking:
    """A hypervisor whose machines start the inspector where they would start a boot loader."""

    hypervisor: Hypervisor
    kernel: Path
    initrd: Path
    words: str
    defined: list[MachineDefinition] = dataclasses.field(default_factory=list)

    def define(self, definition: MachineDefinition) -> Machine:
        """The machine as it was to be made, with a kernel."""
        self.defined.append(definition)
        given = definition.direct_boot
        boot = DirectBoot(
            given.kernel if given else self.kernel,
            given.initrd if given else self.initrd,
            f"{given.command_line if given else 'console=ttyS0'} {self.words}",
        )
        return self.hypervisor.define(dataclasses.replace(definition, direct_boot=boot))

    @property
    def capabilities(self) -> frozenset[object]:
        """No networks: nothing is fetched here."""
        return frozenset()


@pytest.fixture(scope="module")
def inspector() -> tuple[Path, Path]:
    return make_inspector(store_root() / "inspector")


@pytest.fixture(scope="module")
def hypervisor() -> Iterator[Hypervisor]:
    hypervisor = open_hypervisor(None)
    yield hypervisor
    hypervisor.close()


def an_iso(file: Path, volume: str, files: dict[str, bytes]) -> Path:
    """A vendor's medium, as far as an installation here needs one."""
    iso = PyCdlib()
    iso.new(interchange_level=3, rock_ridge="1.09", joliet=3, vol_ident=volume)
    made: set[str] = set()
    for number, (name, content) in enumerate(files.items()):
        parts = name.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            if folder not in made:
                made.add(folder)
                plain = "/" + "/".join(p.upper().replace(".", "_") for p in parts[:depth])
                iso.add_directory(plain, rr_name=parts[depth - 1], joliet_path=f"/{folder}")
        plain = "".join(f"/{p.upper().replace('.', '_')}" for p in parts) + f"/F{number}.;1"
        iso.add_fp(
            io.BytesIO(content),
            len(content),
            plain,
            rr_name=name.split("/")[-1],
            joliet_path=f"/{name}",
        )
    iso.write(str(file))
    iso.close()
    return file


def put_on_shelf(shelf: MediaShelf, file: Path, volume: str, *profiles: str) -> None:
    """Add a medium that the OS database need not know."""
    medium = Medium(
        path=file,
        size=file.stat().st_size,
        sha256=file_digest(file),
        volume=volume,
        bootable=True,
        profiles=profiles,
    )
    shelf.put(medium)


@pytest.mark.parametrize("guest", GUESTS)
def test_the_answers_are_where_the_installer_looks(
    guest: str,
    inspector: tuple[Path, Path],
    hypervisor: Hypervisor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    method = GUESTS[guest]
    profile = without_secure_boot(next(p for p in load_profiles() if p.id == guest))
    monkeypatch.setattr(installing_module, "load_profiles", lambda: [profile])
    monkeypatch.setenv("GUESTCERT_KEY_WINDOWS_XP_SP3", "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE")
    monkeypatch.setenv("GUESTCERT_KEY_WINDOWS_2000_PROFESSIONAL", "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE")
    rendered: list[AnswerSet] = []

    def remembered(*arguments: object) -> AnswerSet:
        rendered.append(answer_set(*arguments))  # type: ignore[arg-type]
        return rendered[-1]

    monkeypatch.setattr(installing_module, "answer_set", remembered)
    looking = Looking(hypervisor, *inspector, "inspector.windows" if method in WINDOWS else "")
    with folder_for(hypervisor, guest) as (store, owner):
        provide_media(store, profile, method, inspector)
        image = store / "image"
        installing(looking, store, owner).build(recipe_of(profile), image, print)
        console = (image / "evidence" / "console.log").read_bytes().decode("latin-1")
    check_files(rendered[-1], console)
    check_machine(profile, looking, console)
    if method is Method.AUTOUNATTEND:
        check_drivers(rendered[-1], console)


def test_a_disk_that_is_too_small_is_told(
    inspector: tuple[Path, Path], hypervisor: Hypervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = next(p for p in load_profiles() if p.id == "debian-7")
    size = profile.hardware.disk_gib.model_copy(update={"minimum": 1, "recommended": 1})
    hardware = profile.hardware.model_copy(update={"disk_gib": size})
    small = profile.model_copy(update={"hardware": hardware})
    monkeypatch.setattr(installing_module, "load_profiles", lambda: [small])
    needed = profile.hardware.disk_gib.minimum * 2**30 // 512
    looking = Looking(hypervisor, *inspector, f"inspector.needs={needed}")
    with folder_for(hypervisor, "small") as (store, owner):
        provide_media(store, small, Method.PRESEED, inspector)
        with pytest.raises(InstallationError) as failure:
            installing(looking, store, owner).build(recipe_of(small), store / "image", print)
    assert failure.value.state is State.INSTALLER
    assert failure.value.problem == "the disk is too small"
    assert failure.value.remedy == "raise hardware.disk_gib in the profile"


@contextmanager
def folder_for(hypervisor: Hypervisor, name: str) -> Iterator[tuple[Path, Ownership]]:
    """A store of an installation's own, with a folder `image` that QEMU's user can enter."""
    root, owner = store_root(), own(f"installer-{name}")
    workspace = Workspace(root, owner)
    workspace.create()
    store = workspace.folder / "store"
    try:
        (store / "image").mkdir(parents=True)
        store.chmod(0o755)
        (store / "image").chmod(0o755)
        yield store, owner
    finally:
        reap_run(hypervisor, root, owner.run)


def installing(looking: Looking, store: Path, owner: Ownership) -> InstallBuilder:
    """An installation's builder whose machines start the inspector."""
    accelerator = choose_accelerator(None, store_root()).accelerator
    return InstallBuilder(lambda: looking, store, owner, accelerator)  # type: ignore[arg-type,return-value]


def recipe_of(profile: Profile) -> InstallRecipe:
    return InstallRecipe(id=profile.id, kind="install", guest=profile.id, method=GUESTS[profile.id])


def without_secure_boot(profile: Profile) -> Profile:
    """The inspector's kernel is started without shim, which Secure Boot would refuse."""
    if profile.variants[0] is Firmware.SECURE_BOOT:
        return profile.model_copy(update={"variants": (Firmware.UEFI,)})
    return profile


def provide_media(
    store: Path, profile: Profile, method: Method, inspector: tuple[Path, Path]
) -> None:
    """A medium with the inspector where the vendor has its installer, and one with drivers."""
    answers = Answers(profile, profile.variants[0], "a", "b", "c", product_key="d")
    start = answer_set(method, answers).start
    files = {"readme.txt": b"a vendor's file", "boot/readme": b"one", "etc/readme": b"two"}
    if start.kernel:
        kernel, initrd = (path.read_bytes() for path in inspector)
        files |= {start.kernel[0]: kernel, start.initrd[0]: initrd}
    shelf = MediaShelf(store)
    put_on_shelf(shelf, an_iso(store / "vendor.iso", "VENDOR", files), "VENDOR", profile.id)
    if profile.windows is not None and profile.windows.drivers is not None:
        release = profile.windows.drivers
        names = ("viostor", "vioscsi", "NetKVM", "vioserial", "Balloon")
        drivers = {f"{name}/{release}/amd64/{name}.inf": b"[Version]" for name in names}
        iso = an_iso(store / "drivers.iso", "virtio-win-0.1", drivers)
        put_on_shelf(shelf, iso, "virtio-win-0.1")


def check_files(rendered: AnswerSet, console: str) -> None:
    """Every answer file lies where its installer looks, byte for byte."""
    found = {
        (place, label, path.strip()): digest
        for place, label, path, digest in re.findall(
            r"inspect: file (\S+) \[([^]]*)\] (.+) ([0-9a-f]{64})", console
        )
    }
    for file in rendered.files:
        place = "cd" if file.location is Location.MEDIUM else str(file.location)
        labels = {
            Location.CD: rendered.label,
            Location.MEDIUM: "VENDOR",
            Location.FLOPPY: "-",
        }
        key = (place, labels.get(file.location, ""), file.path)
        assert found.get(key) == hashlib.sha256(file.content).hexdigest(), (key, sorted(found))
    if rendered.label == "GUESTCERT":
        return
    assert any(label == rendered.label for _, label, _ in found), "the CD has another name"


def check_machine(profile: Profile, looking: Looking, console: str) -> None:
    firmware = "bios" if profile.variants[0] is Firmware.BIOS else "uefi"
    assert f"inspect: firmware {firmware}" in console
    sectors = profile.hardware.disk_gib.recommended * 2**30 // 512
    assert re.search(rf"inspect: disk [a-z]+ {sectors}\b", console)
    if profile.hardware.tpm is Tpm.REQUIRED:
        assert "inspect: tpm yes" in console
    first, *later = looking.defined
    assert all(len(machine.disks) == 1 for machine in later), "a medium is left in the first boot"
    assert first.memory_mib == profile.hardware.memory_mib.recommended


def check_drivers(rendered: AnswerSet, console: str) -> None:
    """Every driver's folder that the answer file names is on the drivers' medium."""
    text = next(f.content for f in rendered.files if f.path == "Autounattend.xml").decode()
    folders = {path.replace("\\", "/") for path in DRIVER_FOLDER.findall(text)}
    assert folders
    for folder in folders:
        assert f"[virtio-win-0.1] {folder}/" in console, folder
