"""A machine's definition as the scripts that make it on Hyper-V."""

from __future__ import annotations

import dataclasses
from ipaddress import ip_network
from pathlib import Path

import pytest

from harness.errors import HypervisorError
from harness.hypervisors.definitions import (
    DiskDefinition,
    DiskDevice,
    DynamicMemory,
    MachineDefinition,
    NicDefinition,
    Topology,
)
from harness.hypervisors.hyperv.definition import (
    HostDisk,
    HostFolders,
    guard,
    machine_calls,
    network_call,
)
from harness.hypervisors.hyperv.remoting import Value
from harness.hypervisors.leases import decode_lease
from harness.hypervisors.nic_policy import (
    AclAction,
    AclDirection,
    Guards,
    NicPolicy,
    PortAcl,
    Vlan,
    VlanMode,
)
from harness.profiles.hardware import Firmware
from harness.profiles.hyperv import SecureBootTemplate
from tests.machines import a_machine, a_network

FOLDERS = HostFolders("D:\\guestcert")
ROOT, CD, FLOPPY, DATA = (Path(name) for name in ("root.qcow2", "cd.iso", "floppy.img", "data"))

Parameters = dict[str, Value]


def steps_of(definition: MachineDefinition) -> list[tuple[str, Parameters]]:
    media = {disk.path: HostDisk(f"D:\\images\\{disk.path.name}") for disk in definition.disks}
    steps = machine_calls(definition, FOLDERS, media)
    return [(step.script, dict(step.parameters)) for step in steps]


def step(definition: MachineDefinition, script: str) -> Parameters:
    (found,) = [parameters for name, parameters in steps_of(definition) if name == script]
    return found


def test_a_machine_carries_whose_it_is() -> None:
    definition = a_machine()
    made = step(definition, "New-Machine")
    assert made["Folder"] == "D:\\guestcert\\machines\\guestcert-run-guest"
    assert made["Pipe"] == "\\\\.\\pipe\\guestcert-run-guest-com1"
    lease = decode_lease(str(made["Notes"]))
    assert lease is not None
    assert lease.owner == definition.owner


@pytest.mark.parametrize(
    ("firmware", "generation", "secure", "template"),
    [
        (Firmware.UEFI, 2, "Off", None),
        (Firmware.SECURE_BOOT, 2, "On", "MicrosoftWindows"),
    ],
)
def test_firmware_decides_on_the_generation(
    firmware: Firmware, generation: int, secure: str, template: str | None
) -> None:
    definition = a_machine(
        firmware=firmware, secure_boot_template=SecureBootTemplate.MICROSOFT_WINDOWS
    )
    assert step(definition, "New-Machine")["Generation"] == generation
    made = step(definition, "Set-Firmware")
    assert (made["SecureBoot"], made["Template"]) == (secure, template)


def test_bios_is_generation_1() -> None:
    assert step(a_machine(), "New-Machine")["Generation"] == 1
    assert step(a_machine(), "Set-Bios")["Order"] == ["IDE", "CD", "LegacyNetworkAdapter", "Floppy"]


def test_what_generation_1_boots_sits_on_ide_in_the_asked_order() -> None:
    definition = a_machine(
        disks=(
            DiskDefinition(DATA, "data"),
            DiskDefinition(ROOT, "root", boot_order=2),
            DiskDefinition(CD, "cd", device=DiskDevice.CDROM, format="raw", boot_order=3),
            DiskDefinition(FLOPPY, "f", device=DiskDevice.FLOPPY, format="raw", boot_order=1),
        )
    )
    disks = [parameters for name, parameters in steps_of(definition) if name == "Add-Disk"]
    assert [(d["Controller"], d["Number"], d["Location"]) for d in disks] == [
        ("SCSI", 0, 0),
        ("IDE", 0, 0),
    ]
    assert step(definition, "Add-Dvd")["Location"] == 1
    assert step(definition, "Set-Floppy")["Path"] == "D:\\images\\floppy.img"
    assert step(definition, "Set-Bios")["Order"] == ["Floppy", "IDE", "CD", "LegacyNetworkAdapter"]


def test_generation_2_has_one_bus_and_boots_from_single_devices() -> None:
    definition = a_machine(
        firmware=Firmware.UEFI,
        disks=(
            DiskDefinition(ROOT, "root", boot_order=2),
            DiskDefinition(CD, "cd", device=DiskDevice.CDROM, format="raw", boot_order=1),
        ),
        nics=(NicDefinition("52:54:00:00:00:0a", "guestcert-run-1", boot_order=3),),
    )
    assert step(definition, "Set-Firmware")["Order"] == [
        "dvd 0 0",
        "disk 0 1",
        "nic 52:54:00:00:00:0a",
    ]
    nic = step(definition, "Add-Nic")
    assert (nic["Mac"], nic["Legacy"]) == ("52540000000A", False)


def test_a_disk_of_ours_is_a_differencing_one_in_the_machines_folder() -> None:
    definition = a_machine(disks=(DiskDefinition(ROOT, "root", boot_order=1),))
    made = step(definition, "Add-Disk")
    assert made["Base"] == "D:\\images\\root.qcow2"
    assert made["Path"] == "D:\\guestcert\\machines\\guestcert-run-guest\\IDE-0-0.vhdx"


def test_generation_1_boots_from_the_network_by_the_legacy_adapter() -> None:
    nic = NicDefinition("52:54:00:00:00:0a", "guestcert-run-1")
    plain = step(a_machine(nics=(nic,)), "Add-Nic")
    booting = dataclasses.replace(nic, boot_order=1)
    made = step(a_machine(nics=(booting,)), "Add-Nic")
    assert (plain["Legacy"], made["Legacy"]) == (False, True)


@pytest.mark.parametrize(
    ("guards", "switches"),
    [
        (Guards(), ("Off", "On", "On")),
        (Guards(mac_spoofing=False), ("On", "On", "On")),
        (Guards(dhcp=False), ("Off", "Off", "On")),
        (Guards(router=False), ("Off", "On", "Off")),
    ],
)
def test_a_card_is_added_with_each_guard_by_itself(
    guards: Guards, switches: tuple[str, str, str]
) -> None:
    nic = NicDefinition("52:54:00:00:00:0a", "guestcert-run-1", policy=NicPolicy(guards=guards))
    made = step(a_machine(nics=(nic,)), "Add-Nic")
    assert (made["Spoofing"], made["DhcpGuard"], made["RouterGuard"]) == switches


def test_a_card_s_policy_follows_the_card() -> None:
    deny = PortAcl(AclAction.DENY, AclDirection.OUTBOUND, ip_network("10.0.0.0/8"))
    policy = NicPolicy(vlan=Vlan(VlanMode.ACCESS, access=7), acls=frozenset({deny}))
    plain = NicDefinition("52:54:00:00:00:0a", "guestcert-run-1")
    bound = NicDefinition("52:54:00:00:00:0b", "guestcert-run-1", policy=policy)
    scripts = [
        (name, p["Mac"]) for name, p in steps_of(a_machine(nics=(plain, bound))) if "Nic" in name
    ]
    assert scripts == [
        ("Add-Nic", "52540000000A"),
        ("Add-Nic", "52540000000B"),
        ("Set-NicVlan", "52540000000B"),
        ("Set-NicAcl", "52540000000B"),
    ]


def test_processors_and_memory_are_as_defined() -> None:
    definition = a_machine(
        vcpus=8,
        topology=Topology(sockets=2, cores=2, threads=2, nodes=2),
        dynamic_memory=DynamicMemory(512, 4096),
        legacy_processor=True,
    )
    made = step(definition, "New-Machine")
    assert (made["Processors"], made["ProcessorsPerNode"], made["CoreThreads"]) == (8, 4, 2)
    assert (made["MinimumMib"], made["MaximumMib"]) == (512, 4096)
    assert made["LegacyProcessor"] is True


def test_a_tpm_comes_last() -> None:
    scripts = [name for name, _ in steps_of(a_machine(firmware=Firmware.UEFI, tpm=True))]
    assert scripts[-1] == "Enable-Tpm"


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({"watchdog": True}, "a watchdog"),
        ({"tpm": True}, "a TPM in generation 1"),
        (
            {
                "firmware": Firmware.UEFI,
                "disks": (DiskDefinition(FLOPPY, "f", device=DiskDevice.FLOPPY),),
            },
            "a floppy drive in generation 2",
        ),
        ({"disks": (DiskDefinition(ROOT, "r", shareable=True),)}, "two machines write to"),
        (
            {
                "disks": tuple(
                    DiskDefinition(Path(str(n)), str(n), boot_order=n + 1) for n in range(5)
                )
            },
            "four IDE slots",
        ),
        (
            {"nics": (NicDefinition("52:54:00:00:00:0a", "n", policy=NicPolicy(isolated=True)),)},
            "isolated network cards",
        ),
    ],
)
def test_what_hyperv_has_not_is_said(changes: dict[str, object], lacking: str) -> None:
    with pytest.raises(HypervisorError, match=lacking):
        steps_of(a_machine(**changes))


def test_a_network_leads_nowhere_and_serves_its_subnet() -> None:
    parameters = network_call(a_network()).parameters
    assert parameters["Subnet"] == "10.217.0.0"
    assert parameters["Mask"] == "255.255.255.0"
    assert parameters["Subnet6"] == "fd00::/64"
    assert parameters["Start"] == "10.217.0.16"


@pytest.mark.parametrize(
    "name", ["other", "guestcert-", "guestcert-*", "guestcert-a b", "xguestcert-a"]
)
def test_only_names_of_ours_that_are_no_patterns_pass(name: str) -> None:
    with pytest.raises(HypervisorError, match="does not own"):
        guard(name)
