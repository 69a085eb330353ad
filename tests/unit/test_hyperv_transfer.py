"""What is brought to a Hyper-V host, whether it stays there, and how contents are distinguished."""

from __future__ import annotations

import dataclasses
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.errors import HypervisorError
from harness.hypervisors.base import MachineState
from harness.hypervisors.definitions import DiskDefinition, DiskDevice
from harness.hypervisors.facets.host_services import FILE_COPY
from harness.hypervisors.hyperv.address import PASSWORD as VARIABLE
from harness.hypervisors.hyperv.connection import HypervHypervisor
from harness.hypervisors.hyperv.disks import (
    chain,
    content_key,
    data_layers,
    file_digest,
    is_shared,
)
from harness.image_store.qemu_img import create_overlay
from tests.fakes.hyperv_host.host import ACTS, hyperv_host
from tests.fakes.hyperv_host.model import HostModel
from tests.fakes.powershell_remoting.server import PASSWORD
from tests.machines import a_machine


@pytest.fixture
def base(tmp_path: Path) -> Path:
    base = tmp_path / "base.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(base), "1M"], check=True)
    write(base, "0")
    return base


def write(disk: Path, place: str) -> None:
    command = ["qemu-io", "-f", "qcow2", "-c", f"write -q {place} 64k", str(disk)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def over(base: Path, name: str) -> Path:
    overlay = base.with_name(name)
    create_overlay(base, overlay)
    return overlay


def key(path: Path) -> str:
    disk = DiskDefinition(path, "root")
    return content_key(disk, holding(disk))


def holding(disk: DiskDefinition) -> list[Path]:
    return data_layers(disk, chain(disk))


def test_every_fresh_overlay_of_a_base_is_one_content_and_a_written_one_another(
    base: Path,
) -> None:
    first, second = over(base, "first.qcow2"), over(base, "second.qcow2")
    assert key(first) == key(second) == key(base)
    write(second, "128k")
    assert key(second) != key(base)
    assert key(over(second, "third.qcow2")) == key(second)


def test_a_base_image_stays_for_later_runs_and_what_a_run_wrote_does_not(base: Path) -> None:
    overlay = DiskDefinition(over(base, "overlay.qcow2"), "root")
    assert is_shared(overlay, holding(overlay))
    write(overlay.path, "128k")
    assert not is_shared(overlay, holding(overlay))


def test_a_vendors_medium_stays_and_a_seed_does_not(tmp_path: Path) -> None:
    medium, seed = tmp_path / "vendor.iso", tmp_path / "seed.iso"
    with medium.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    seed.write_bytes(b"x")
    for path, shared in ((medium, True), (seed, False)):
        disk = DiskDefinition(path, "m", device=DiskDevice.CDROM, format="raw")
        assert is_shared(disk, holding(disk)) is shared


def test_what_is_a_runs_own_is_owned_and_goes_with_it(
    host: HostModel, hypervisor: HypervHypervisor, base: Path, tmp_path: Path
) -> None:
    seed = tmp_path / "seed.iso"
    seed.write_bytes(b"secret")
    disks = (
        DiskDefinition(over(base, "root.qcow2"), "root", boot_order=1),
        DiskDefinition(seed, "seed", format="raw", read_only=True),
    )
    definition = a_machine(disks=disks)
    hypervisor.define(definition).remove()

    kept = {path.split("\\")[-2] for path in host.files}
    assert kept == {"images", "guestcert-run", "written"}
    (uploads,) = hypervisor.owned()
    assert (uploads.kind, uploads.name) == ("uploads", "guestcert-run")
    assert uploads.owner == definition.owner

    hypervisor.remove(uploads)

    assert {path.split("\\")[-2] for path in host.files} == {"images"}
    assert hypervisor.owned() == []


def test_a_disk_arrives_as_vhdx(host: HostModel, hypervisor: HypervHypervisor, base: Path) -> None:
    hypervisor.define(a_machine(disks=(DiskDefinition(base, "root", boot_order=1),)))
    (content,) = [content for path, content in host.files.items() if "images" in path]
    assert content.startswith(b"vhdxfile"), "the signature of the format"


def root_of(host: HostModel, machine: str) -> str:
    (path,) = host.machines[machine].disks.values()
    return path


def test_what_a_guest_wrote_is_kept_while_its_machine_is_made_anew(
    host: HostModel, hypervisor: HypervHypervisor, base: Path
) -> None:
    root = over(base, "root.qcow2")
    definition = a_machine(disks=(DiskDefinition(root, "root", boot_order=1),))
    hypervisor.define(definition)
    path = root_of(host, definition.name)
    host.files[path] += b", and written to"

    hypervisor.define(dataclasses.replace(definition, vcpus=2))

    assert root_of(host, definition.name) == path
    assert host.files[path].endswith(b"written to")
    create_overlay(base, root)
    hypervisor.define(definition)
    assert root_of(host, definition.name) != path, "a fresh overlay is another disk"


def test_overlays_of_what_a_guest_wrote_lie_over_it_on_the_host_too(
    host: HostModel, hypervisor: HypervHypervisor, base: Path
) -> None:
    root = over(base, "root.qcow2")
    definition = a_machine(disks=(DiskDefinition(root, "root", boot_order=1),))
    machine = hypervisor.define(definition)
    written = root_of(host, machine.name)
    machine.remove()
    installed = root.rename(base.with_name("installed.qcow2"))
    overlay = over(installed, "overlay.qcow2")

    hypervisor.define(a_machine(disks=(DiskDefinition(overlay, "root", boot_order=1),)))

    assert host.files[root_of(host, machine.name)] == b"differencing over " + written.encode()
    write(overlay, "128k")
    with pytest.raises(HypervisorError, match=r"was written to here, and .*installed"):
        hypervisor.define(a_machine(disks=(DiskDefinition(overlay, "root", boot_order=1),)))


def test_two_machines_do_not_write_to_one_disk(hypervisor: HypervHypervisor, base: Path) -> None:
    disks = (DiskDefinition(over(base, "root.qcow2"), "root", boot_order=1),)
    first = hypervisor.define(a_machine(disks=disks))
    second = hypervisor.define(a_machine(name="guestcert-run-second", disks=disks))
    first.start()
    with pytest.raises(HypervisorError, match="used by another process"):
        second.start()
    assert first.state() is MachineState.RUNNING


def test_two_workers_bring_one_content_once(
    host: HostModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: Path
) -> None:
    monkeypatch.setenv(VARIABLE, PASSWORD)
    write(base, "512k")
    disks = (DiskDefinition(base, "root", read_only=True),)

    def define(name: str) -> None:
        hypervisor = HypervHypervisor(uri)
        hypervisor.define(a_machine(name=name, disks=disks))
        hypervisor.close()

    free = host.free_bytes
    with hyperv_host(tmp_path, host) as (_, _, uri), ThreadPoolExecutor() as workers:
        list(workers.map(define, ["guestcert-run-one", "guestcert-run-two"]))
    (content,) = [content for path, content in host.files.items() if "\\images\\" in path]
    assert free - host.free_bytes == len(content)
    assert len(host.machines) == 2


def test_a_file_that_somebody_else_brings_meanwhile_is_not_spoiled(
    host: HostModel, hypervisor: HypervHypervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ACTS, "Get-FileLength", lambda *_: {"length": -1})
    machine = hypervisor.define(a_machine())
    file = tmp_path / "file"
    file.write_bytes(b"content")
    host.files[partial_of(file)] = bytearray(b"cont")
    with pytest.raises(HypervisorError, match="ends at 4, not at 0"):
        machine.facet(FILE_COPY).copy(file, "C:\\file")
    assert host.files[partial_of(file)] == b"cont"


def partial_of(file: Path) -> str:
    digest = file_digest(file)
    folder = f"D:\\Hyper-V\\Virtual Hard Disks\\guestcert\\uploads\\guestcert-run\\{digest[:40]}"
    return f"{folder}\\{file.name}.{digest[:16]}.partial"


def test_a_seed_becomes_a_disk_as_large_as_windows_makes_any(
    host: HostModel, hypervisor: HypervHypervisor, tmp_path: Path
) -> None:
    seed = tmp_path / "seed.iso"
    seed.write_bytes(b"secret" * 100)
    hypervisor.define(a_machine(disks=(DiskDefinition(seed, "seed", format="raw"),)))
    (content,) = [c for path, c in host.files.items() if c.startswith(b"vhdxfile")]
    arrived = tmp_path / "arrived.vhdx"
    arrived.write_bytes(content)
    read = ["qemu-img", "convert", "-f", "vhdx", "-O", "raw", str(arrived), str(tmp_path / "raw")]
    subprocess.run(read, check=True)
    assert (tmp_path / "raw").read_bytes() == seed.read_bytes().ljust(4 * 1024 * 1024, b"\0")
    assert seed.stat().st_size == 600, "the user's own file stays as it is"
