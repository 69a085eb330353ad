"""Subjects of the contract: the fake, libvirt's test driver, QEMU, a scripted Hyper-V host."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.hypervisors.base import NAME_PREFIX, Hypervisor
from harness.hypervisors.connection import open_hypervisor
from harness.hypervisors.definitions import DiskDefinition, MachineDefinition
from harness.hypervisors.hyperv.address import PASSWORD as PASSWORD_VARIABLE
from harness.image_store.places import store_root
from harness.lab.ownership import own
from harness.lab.workspace import Workspace
from tests.fakes.hyperv_host.host import hyperv_host
from tests.fakes.hypervisor import FakeHypervisor
from tests.fakes.powershell_remoting.server import PASSWORD
from tests.machines import a_machine
from tests.workers import of_this_worker

RUN = of_this_worker("contract")
BOOT_SECTOR = Path(__file__).with_name("talking_sector.S")


QEMU = "qemu:///system"
ON_THIS_HOST = frozenset(
    {"test_clean", "test_console_end", "test_guest_network", "test_package_proxy"}
)
"""Modules that use addresses, ports and identifiers of which this host has one."""


# First, since xdist's worker reads the groups in the same hook, before conftest files.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that would share this host's machines and networks run in one worker."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        on_qemu = callspec is not None and callspec.params.get("subject") == QEMU
        if on_qemu or item.path.stem in ON_THIS_HOST:
            item.add_marker(pytest.mark.xdist_group("this host"))


@dataclass(frozen=True)
class Subject:
    """A hypervisor under the contract, and a machine definition that fits it."""

    hypervisor: Hypervisor
    definition: MachineDefinition


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder that QEMU's user can enter; pytest's own temporary folders are private."""
    workspace = Workspace(store_root(), own(RUN))
    workspace.create()
    yield workspace.folder
    workspace.remove()


@pytest.fixture(scope="session")
def boot_sector(folder: Path) -> Path:
    """A disk whose boot sector prints `tick` repeatedly on the serial port, and echoes input."""
    return assembled(BOOT_SECTOR, folder)


def assembled(source: Path, folder: Path) -> Path:
    """A disk of 1 MiB that begins with this boot sector."""
    linked, made = folder / f"{source.stem}.o", folder / f"{source.stem}.img"
    subprocess.run(["as", "--32", "-o", str(linked), str(source)], check=True)
    flat = ["ld", "-m", "elf_i386", "-N", "-Ttext", "0x7c00", "--oformat", "binary"]
    subprocess.run([*flat, "-o", str(made), str(linked)], check=True)
    made.write_bytes(made.read_bytes().ljust(1024 * 1024, b"\0"))
    return made


@contextmanager
def opened(uri: str, tmp_path: Path) -> Iterator[Hypervisor]:
    """The hypervisor for an address of the parameters below."""
    if uri.startswith("fake"):
        yield FakeHypervisor()
    elif uri.startswith("hyperv"):
        with hyperv_host(tmp_path) as (_, _, address):
            yield open_hypervisor(address)
    else:
        yield open_hypervisor(uri)


@pytest.fixture(params=["fake:///", "test:///default", QEMU, "hyperv://scripted"])
def subject(
    request: pytest.FixtureRequest,
    boot_sector: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Subject]:
    """Each implementation of the contract in turn."""
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    with opened(request.param, tmp_path) as hypervisor:
        yield from _cleaned(hypervisor, boot_sector)


def _cleaned(hypervisor: Hypervisor, boot_sector: Path) -> Iterator[Subject]:
    definition = a_machine(
        name=f"{NAME_PREFIX}{RUN}-subject",
        owner=own(RUN),
        disks=(DiskDefinition(boot_sector, "CONTRACT", format="raw", boot_order=1),),
        smbios_serial="contract",
    )
    try:
        yield Subject(hypervisor, definition)
    finally:
        for owned in hypervisor.owned():
            if owned.name.startswith(f"{NAME_PREFIX}{RUN}-"):
                hypervisor.remove(owned)
        hypervisor.close()
