"""Machines and networks as libvirt's XML: what stands in it, and what must not."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from harness.errors import ChannelError
from harness.host.firmware import FirmwareBuild, find_firmware
from harness.hypervisors.definitions import (
    Accelerator,
    DirectBoot,
    DiskDefinition,
    DiskDevice,
    MachineDefinition,
    NicDefinition,
    Topology,
)
from harness.hypervisors.leases import UNRENEWABLE_TERM
from harness.hypervisors.libvirt.definition import (
    LEASE_HOURS,
    QEMU,
    TRANSLATED_MIB,
    machine_xml,
    network_xml,
)
from harness.hypervisors.libvirt.metadata import NAMESPACE, lease_in
from harness.oracles.inventory import expected_pci, unexpected
from harness.profiles.hardware import Firmware
from tests.machines import a_machine, a_network

OVMF = FirmwareBuild(Path("/fw/code.fd"), Path("/fw/vars.fd"), needs_smm=False, format="raw")
FOREIGN = f"<domain><metadata><lease xmlns='{NAMESPACE}'>%s</lease></metadata></domain>"


def a_definition(**changes: object) -> MachineDefinition:
    fields: dict[str, object] = {
        "name": "guestcert-run-<a&b>",
        "disks": (DiskDefinition(Path("/d/root.qcow2"), "GC-ROOT", boot_order=1),),
        "nics": (NicDefinition("52:54:00:00:00:01", "guestcert-net"),),
    }
    return a_machine(**(fields | changes))


def part(xml: str, path: str) -> Element:
    """The element at `path`, which must be there."""
    found = fromstring(xml).find(path)
    assert found is not None, f"no {path} in {xml}"
    return found


def test_the_console_is_copied_where_a_file_is_named() -> None:
    copied = machine_xml(a_definition(), None, Path("/logs/guest-console.log"))
    log = part(copied, "devices/serial/log")
    assert (log.get("file"), log.get("append")) == ("/logs/guest-console.log", "on")
    assert fromstring(machine_xml(a_definition(), None)).find("devices/serial/log") is None


def test_the_owner_is_read_back_from_what_was_written() -> None:
    definition = a_definition()
    for xml in (machine_xml(definition, None), network_xml(a_network(owner=definition.owner))):
        lease = lease_in(xml)
        assert lease is not None
        assert lease.owner == definition.owner


@pytest.mark.parametrize(
    "xml",
    ["<domain/>", "<domain><metadata/></domain>", FOREIGN % "", FOREIGN % ("[" * 1500)],
    ids=["bare", "no metadata", "empty", "deep"],
)
def test_no_owner_is_read_from_a_foreign_machine(xml: str) -> None:
    assert lease_in(xml) is None


def test_a_name_is_escaped() -> None:
    definition = a_definition()
    assert fromstring(machine_xml(definition, None)).findtext("name") == definition.name


def test_the_machine_has_nothing_that_was_not_asked_for() -> None:
    devices = part(machine_xml(a_definition(), None), "devices")
    assert [disk.findtext("serial") for disk in devices.findall("disk")] == ["GC-ROOT"]
    assert len(devices.findall("interface")) == 1
    controllers = {c.get("type"): c.get("model") for c in devices.findall("controller")}
    assert controllers == {"usb": "none"}
    assert devices.findall("hostdev") == []
    assert devices.findall("graphics") == [], "a display would listen on a port"
    assert devices.findall("filesystem") == []


def test_uefi_has_its_variables_and_bios_has_none() -> None:
    nvram = Path("/d/nvram.fd")
    uefi = a_definition(firmware=Firmware.UEFI, nvram=nvram)
    variables = part(machine_xml(uefi, OVMF), "os/nvram")
    assert variables.text == str(nvram)
    assert variables.get("template") == "/fw/vars.fd"
    assert fromstring(machine_xml(a_definition(), None)).find("os/loader") is None


@pytest.mark.parametrize(
    ("accelerator", "kind", "processor"),
    [(Accelerator.KVM, "kvm", "host-passthrough"), (Accelerator.TCG, "qemu", "maximum")],
)
def test_the_accelerator_decides_on_the_processor(
    accelerator: Accelerator, kind: str, processor: str
) -> None:
    xml = machine_xml(a_definition(accelerator=accelerator), None)
    assert part(xml, ".").get("type") == kind
    assert part(xml, "cpu").get("mode") == processor


def test_only_a_machine_under_tcg_has_room_for_translated_code() -> None:
    translated = machine_xml(a_definition(accelerator=Accelerator.TCG), None)
    room = part(translated, "features/tcg/tb-cache")
    assert (room.text, room.get("unit")) == (str(TRANSLATED_MIB), "MiB")
    # libvirt refuses the element where nothing is translated.
    executed = machine_xml(a_definition(accelerator=Accelerator.KVM), None)
    assert fromstring(executed).find("features/tcg") is None


def test_processors_and_nodes_stand_as_they_were_arranged() -> None:
    xml = machine_xml(a_definition(vcpus=4, topology=Topology(2, 1, 2, nodes=2)), None)
    assert part(xml, "cpu/topology").attrib == {"sockets": "2", "cores": "1", "threads": "2"}
    cells = part(xml, "cpu/numa").findall("cell")
    assert [cell.get("cpus") for cell in cells] == ["0-1", "2-3"]
    whole = a_definition().memory_mib
    assert [cell.get("memory") for cell in cells] == [str(whole // 2)] * 2
    assert fromstring(machine_xml(a_definition(), None)).find("cpu/topology") is None


def test_a_firmware_that_tries_the_network_tells_on_the_serial_port() -> None:
    (nic,) = a_definition().nics
    xml = machine_xml(a_definition(nics=[dataclasses.replace(nic, boot_order=1)]), None)
    assert part(xml, "devices/interface/boot").get("order") == "1"
    assert part(xml, "os/bios").get("useserial") == "yes"


def test_a_watchdog_is_there_where_it_was_asked_for() -> None:
    xml = machine_xml(a_definition(watchdog=True), None)
    assert part(xml, "devices/watchdog").get("action") == "reset"
    assert expected_pci(a_definition(watchdog=True)) != expected_pci(a_definition())


def test_a_network_leads_nowhere() -> None:
    network = a_network()
    xml = network_xml(network)
    assert fromstring(xml).find("forward") is None
    assert part(xml, "domain").get("localOnly") == "yes"
    assert part(xml, "dns/host").get("ip") == network.gateway


def test_an_address_is_leased_for_as_long_as_a_run_may_last() -> None:
    lease = part(network_xml(a_network()), "ip/dhcp/range/lease")
    assert (lease.get("expiry"), lease.get("unit")) == ("168", "hours")
    assert timedelta(hours=LEASE_HOURS) >= UNRENEWABLE_TERM


def test_each_defined_device_is_expected_and_no_other() -> None:
    definition = a_definition()
    expected = expected_pci(definition)
    whole = [sorted(ids)[0] for ids in expected.elements()]
    assert unexpected(Counter(whole), expected) == ({}, {})
    surplus, missing = unexpected(Counter([*whole, "10de:1234"]), expected)
    assert (len(surplus), missing) == (1, {})
    surplus, missing = unexpected(Counter(whole[1:]), expected)
    assert (surplus, len(missing)) == ({}, 1)


def descriptor(folder: Path, name: str, *features: str, machine: str = "pc-q35-*") -> Path:
    code = folder / f"{name}.code"
    code.write_bytes(b"")
    document = {
        "interface-types": ["uefi"],
        "mapping": {
            "executable": {"filename": str(code), "format": "raw"},
            "nvram-template": {"filename": str(folder / f"{name}.vars"), "format": "raw"},
        },
        "targets": [{"architecture": "x86_64", "machines": [machine]}],
        "features": list(features),
    }
    (folder / f"{name}.json").write_text(json.dumps(document))
    return code


def test_firmware_is_chosen_by_what_it_does(tmp_path: Path) -> None:
    secure = descriptor(tmp_path, "40-secure", "secure-boot", "enrolled-keys", "requires-smm")
    plain = descriptor(tmp_path, "60-plain", "acpi-s3")
    found = find_firmware(Firmware.UEFI, (tmp_path,))
    enforced = find_firmware(Firmware.SECURE_BOOT, (tmp_path,))
    assert found is not None
    assert (found.code, found.needs_smm) == (plain, False)
    assert enforced is not None
    assert (enforced.code, enforced.needs_smm) == (secure, True)


def test_broken_and_foreign_descriptors_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "10-broken.json").write_text("{")
    (tmp_path / "20-other.json").write_text('{"features": []}')
    descriptor(tmp_path, "30-arm", machine="virt-*")
    assert find_firmware(Firmware.UEFI, (tmp_path,)) is None


def test_a_channel_error_is_no_verdict() -> None:
    assert not isinstance(ChannelError("silent"), AssertionError)


def media() -> tuple[DiskDefinition, ...]:
    disk = DiskDefinition(Path("/d/root.qcow2"), "GC-ROOT", bus="ide", boot_order=1)
    cd = dataclasses.replace(disk, path=Path("/d/a.iso"), device=DiskDevice.CDROM, boot_order=2)
    return (disk, cd)


def test_disks_of_one_bus_have_names_of_their_own() -> None:
    devices = part(machine_xml(a_definition(disks=media()), None), "devices")
    targets = [(d.get("device"), part_of(d, "target").get("dev")) for d in devices.findall("disk")]
    assert targets == [("disk", "hda"), ("cdrom", "hdb")]


def test_a_disk_on_nvme_is_made_by_qemu_where_libvirt_has_one_on_virtio() -> None:
    disk = DiskDefinition(Path("/d/root.qcow2"), "GC ROOT", bus="nvme", boot_order=1)
    other = dataclasses.replace(disk, serial="GC-DATA", bus="virtio", boot_order=None)
    xml = machine_xml(a_definition(disks=(disk, other)), None)
    named = part(xml, "devices/disk")
    assert part_of(named, "target").attrib == {"dev": "vda", "bus": "virtio"}
    devices = fromstring(xml).findall(f"{{{QEMU}}}override/{{{QEMU}}}device")
    assert [device.get("alias") for device in devices] == [part_of(named, "alias").get("name")]
    made = part_of(devices[0], f"{{{QEMU}}}frontend/{{{QEMU}}}property")
    assert made.attrib == {"name": "driver", "type": "string", "value": "nvme"}


def test_the_firmware_speaks_on_the_serial_port_only_where_a_medium_is_booted() -> None:
    assert part(machine_xml(a_definition(disks=media()), None), "os/bios").get("useserial") == "yes"
    assert fromstring(machine_xml(a_definition(), None)).find("os/bios") is None


def test_a_kernel_is_started_directly_where_one_is_given() -> None:
    boot = DirectBoot(Path("/d/linux"), Path("/d/initrd"), "console=ttyS0 a=<b>")
    xml = machine_xml(a_definition(direct_boot=boot), None)
    reported = [part(xml, f"os/{tag}").text for tag in ("kernel", "initrd", "cmdline")]
    assert reported == ["/d/linux", "/d/initrd", "console=ttyS0 a=<b>"]
    assert fromstring(machine_xml(a_definition(), None)).find("os/kernel") is None


def test_a_tpm_is_there_only_where_it_was_asked_for() -> None:
    tpm = part(machine_xml(a_definition(tpm=True), None), "devices/tpm/backend")
    assert (tpm.get("type"), tpm.get("version")) == ("emulator", "2.0")
    assert fromstring(machine_xml(a_definition(), None)).find("devices/tpm") is None


def part_of(element: Element, path: str) -> Element:
    found = element.find(path)
    assert found is not None
    return found
