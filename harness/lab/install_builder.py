"""Builds base images by unattended installation, each on its own machine and network."""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError, UsageError
from harness.hypervisors.base import NAME_PREFIX, Hypervisor
from harness.hypervisors.capabilities import NETWORK, REMOTE_DISKS
from harness.hypervisors.definitions import (
    Accelerator,
    DirectBoot,
    DiskDefinition,
    DiskDevice,
    MachineDefinition,
    NetworkDefinition,
    NicDefinition,
    Ownership,
)
from harness.hypervisors.facets.host_ports import HOST_PORTS
from harness.image_store import qemu_img
from harness.image_store.builder import EVIDENCE, IMAGE, Material, StepReporter, file_digest
from harness.image_store.host_archive import host_archive
from harness.image_store.media import MediaShelf, Medium
from harness.image_store.network_boot import fetch_installer
from harness.image_store.recipe import InstallRecipe, Recipe
from harness.lab.identity import Identity, mac_address
from harness.lab.networks import Networks
from harness.profiles.claims import HypervisorKind
from harness.profiles.hardware import Firmware, MachineType, Tpm
from harness.profiles.loader import load_profiles
from harness.profiles.model import Method, Profile
from harness.profiles.variants import unsupported_reason
from harness.provisioning.answer_files import AnswerSet, answer_set
from harness.provisioning.answer_media import AnswerMedia, extract, join_initrd, write_media
from harness.provisioning.answers import Answers, Mirror, new_password, new_token
from harness.provisioning.certificate import Certificate, make_certificate
from harness.provisioning.flow import FLOWS
from harness.provisioning.installer import Installer
from harness.provisioning.package_proxy import PORT, package_proxy
from harness.provisioning.product_keys import product_key

HypervisorMaker = Callable[[], Hypervisor]
"""Connects at the first call; later calls return the same connection."""

HOST_NAME = "guestcert"
CD_BUSES = {MachineType.Q35: "sata", MachineType.PC: "ide"}


@dataclass(frozen=True)
class Source:
    """The source of an installation: a medium, or a kernel and an initrd, with their digests.

    `drivers`: a second medium with the drivers that the installer lacks.
    """

    medium: Path | None
    kernel: Path | None
    initrd: Path | None
    materials: tuple[Material, ...]
    drivers: Path | None = None


@dataclass
class InstallBuilder:
    """See Builder. Connects to the hypervisor at the first build; `owner` owns all it creates."""

    hypervisor: HypervisorMaker
    root: Path
    owner: Ownership
    accelerator: Accelerator

    def inputs(self, recipe: Recipe, step: StepReporter) -> Mapping[str, str]:
        """See Builder: the digest of the answer files, rendered with fixed values."""
        assert isinstance(recipe, InstallRecipe)
        profile = _profile(recipe)
        given = answer_set(recipe.method, _fixed_answers(profile, recipe))
        digest = hashlib.sha256(given.start.command_line.encode())
        for file in given.files:
            digest.update(file.path.encode() + b"\0" + _without_salt(file.content))
        found = {"answers": digest.hexdigest(), "qemu-img": qemu_img.version()}
        if recipe.network_boot is None:
            found["medium"] = self._medium(profile).sha256
        drivers = self._drivers(profile)
        if drivers is not None:
            found["drivers"] = drivers.sha256
        return found

    def build(self, recipe: Recipe, folder: Path, step: StepReporter) -> tuple[Material, ...]:
        """See Builder. Takes minutes to hours; the evidence is in `folder`/EVIDENCE."""
        assert isinstance(recipe, InstallRecipe)
        profile = _profile(recipe)
        if refusal := unsupported_reason(profile, HypervisorKind.QEMU):
            raise refusal
        if REMOTE_DISKS in self.hypervisor().capabilities:
            raise UsageError(
                f"an image cannot be built on {self.hypervisor().uri}: its disks stay remote",
                remedy=f"install it on QEMU: guestcert images build {recipe.id}; then certify",
            )
        work = folder / "work"
        work.mkdir()
        source = self._source(recipe, profile, work, step)
        with self._network(recipe, folder / EVIDENCE) as (network, mirror):
            self._install(profile, recipe.method, source, network, mirror, folder, step)
        return source.materials

    def _install(
        self,
        profile: Profile,
        method: Method,
        source: Source,
        network: NetworkDefinition | None,
        mirror: Mirror | None,
        folder: Path,
        step: StepReporter,
    ) -> None:
        answers = Answers(
            profile,
            profile.variants[0],
            HOST_NAME,
            new_token(),
            new_password(),
            mirror=mirror,
            product_key=product_key(profile) if profile.windows else None,
            certificate=make_certificate(HOST_NAME) if profile.windows else None,
        )
        given = answer_set(method, answers)
        media = write_media(given, folder / "work", source.medium)
        disk = folder / IMAGE
        size = f"{profile.hardware.disk_gib.recommended}G"
        qemu_img.create_disk(disk, size)
        definition = self.definition(profile, source, given, media, folder, network)
        installer = Installer(self.hypervisor().define, FLOWS[method], folder / EVIDENCE, step)
        installer.run(definition, answers.token, keys=given.start.keys and _wants_key(answers))

    def definition(
        self,
        profile: Profile,
        source: Source,
        given: AnswerSet,
        media: AnswerMedia,
        folder: Path,
        network: NetworkDefinition | None,
    ) -> MachineDefinition:
        """The machine that runs the installation, with the disk and all media."""
        hardware, firmware = profile.hardware, profile.variants[0]
        name = f"{NAME_PREFIX}{self.owner.run}-install-{profile.id}"
        bus = CD_BUSES[hardware.machine_type]
        disks = [DiskDefinition(folder / IMAGE, "GC-ROOT", bus=hardware.disk_bus, boot_order=1)]
        direct = self._direct_boot(source, given, media, folder / "work")
        cds = [media.medium or source.medium, media.cd, source.drivers]
        for number, cd in enumerate(cd for cd in cds if cd is not None):
            boots = number == 0 and direct is None
            disks.append(_medium_disk(cd, f"GC-CD{number}", bus, DiskDevice.CDROM, boots))
        if media.floppy is not None:
            disks.append(_medium_disk(media.floppy, "GC-FD", "fdc", DiskDevice.FLOPPY, False))
        mac = mac_address(self.owner.run, Identity.INSTALLER)
        nics = (
            (NicDefinition(mac, network.name, hardware.nic_model, network.reservations[mac]),)
            if network
            else ()
        )
        return MachineDefinition(
            name=name,
            uuid=str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
            memory_mib=hardware.memory_mib.recommended,
            vcpus=hardware.vcpus.recommended,
            firmware=firmware,
            machine_type=hardware.machine_type,
            accelerator=self.accelerator,
            owner=self.owner,
            disks=tuple(disks),
            nics=nics,
            nvram=None if firmware is Firmware.BIOS else folder / "work" / "nvram.fd",
            smbios_serial=HOST_NAME,
            direct_boot=direct,
            tpm=hardware.tpm is Tpm.REQUIRED,
        )

    def _direct_boot(
        self, source: Source, given: AnswerSet, media: AnswerMedia, work: Path
    ) -> DirectBoot | None:
        """Direct boot of the installer's kernel; None if a boot loader starts it."""
        kernel, initrd = source.kernel, source.initrd
        if kernel is None and given.start.kernel and source.medium is not None:
            kernel, initrd = work / "kernel", work / "initrd"
            extract(source.medium, given.start.kernel, kernel)
            extract(source.medium, given.start.initrd, initrd)
        if kernel is None or initrd is None:
            return None
        joined = work / "initrd-with-answers"
        join_initrd(initrd, media.initrd_tail, joined)
        return DirectBoot(kernel, joined, given.start.command_line)

    def _source(
        self, recipe: InstallRecipe, profile: Profile, work: Path, step: StepReporter
    ) -> Source:
        if recipe.network_boot is not None:
            kernel, initrd = fetch_installer(recipe.network_boot, work, step)
            materials = tuple(Material(f.name, file_digest(f)) for f in (kernel, initrd))
            return Source(None, kernel, initrd, materials)
        media = [self._medium(profile)]
        drivers = self._drivers(profile)
        if drivers is not None:
            media.append(drivers)
        materials = tuple(_verified(medium, step) for medium in media)
        return Source(media[0].path, None, None, materials, drivers.path if drivers else None)

    def _drivers(self, profile: Profile) -> Medium | None:
        """The medium with drivers and the guest agent for Windows, if the shelf has one."""
        return MediaShelf(self.root).drivers() if profile.windows else None

    def _medium(self, profile: Profile) -> Medium:
        medium = MediaShelf(self.root).for_profile(profile.id)
        if medium is None:
            raise UsageError(
                f"there is no installation medium of {profile.id}",
                remedy="guestcert media add FILE",
            )
        return medium

    @contextmanager
    def _network(
        self, recipe: InstallRecipe, folder: Path
    ) -> Iterator[tuple[NetworkDefinition | None, Mirror | None]]:
        """An isolated network if the hypervisor creates any, and a proxy on it if needed."""
        hypervisor = self.hypervisor()
        if NETWORK not in hypervisor.capabilities:
            if recipe.mirror is not None:
                raise HarnessError(
                    f"{hypervisor.uri} has no networks, and {recipe.id} needs one for packages",
                    remedy="use qemu:///system",
                )
            yield None, None
            return
        networks = Networks(hypervisor, self.root, self.owner, "install")
        with contextlib.ExitStack() as stack:
            network, definition = networks.get()
            stack.callback(networks.remove_all)
            mirror = None
            if recipe.mirror is not None:
                network.facet(HOST_PORTS).open([PORT])
                address = host_archive() if recipe.mirror == "host" else recipe.mirror
                cache = self.root / "packages"
                proxy = package_proxy(definition.gateway, address, cache, folder)
                mirror = Mirror(address, stack.enter_context(proxy))
            yield definition, mirror


def _profile(recipe: InstallRecipe) -> Profile:
    for profile in load_profiles():
        if profile.id == recipe.guest:
            return profile
    raise UsageError(f"{recipe.id} installs {recipe.guest!r}, and there is no such profile")


def _fixed_answers(profile: Profile, recipe: InstallRecipe) -> Answers:
    """Answers with every optional field set, to fixed values: equal for each build."""
    return Answers(
        profile,
        profile.variants[0],
        HOST_NAME,
        "token",
        "password",
        mirror=Mirror("http://mirror.test/packages", "http://proxy.test")
        if recipe.mirror
        else None,
        product_key="KEY",
        certificate=Certificate("THUMBPRINT", b"", "password") if profile.windows else None,
    )


def _verified(medium: Medium, step: StepReporter) -> Material:
    """A medium as a material. Raises HarnessError if it changed after it was added."""
    step(f"verifying {medium.path.name}")
    if file_digest(medium.path) != medium.sha256:
        raise HarnessError(
            f"{medium.path} changed after it was added",
            remedy=f"guestcert media add {medium.path}",
        )
    return Material(medium.path.name, medium.sha256)


def _medium_disk(
    file: Path, serial: str, bus: str, device: DiskDevice, boots: bool
) -> DiskDefinition:
    order = 2 if boots else None
    return DiskDefinition(file, serial, bus, device, "raw", read_only=True, boot_order=order)


def _wants_key(answers: Answers) -> bool:
    """Whether the Windows medium waits for a key: under UEFI; under BIOS only with a bootable disk.

    The disk of an installation is empty.
    """
    return answers.firmware is not Firmware.BIOS


def _without_salt(content: bytes) -> bytes:
    """An answer file without the lines of password hashes, whose salts differ each time."""
    lines = content.splitlines()
    return b"".join(line for line in lines if b"$6$" not in line and b"$1$" not in line)
