"""MachineDefinition and NetworkDefinition as the scripts that make them, and leases in notes."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HypervisorError
from harness.hypervisors.base import NAME_PREFIX
from harness.hypervisors.definitions import (
    DiskDefinition,
    DiskDevice,
    MachineDefinition,
    NetworkDefinition,
    NicDefinition,
    Ownership,
)
from harness.hypervisors.hyperv.remoting import Value
from harness.hypervisors.leases import encode_lease, lease_for
from harness.profiles.hardware import Firmware

NAME = re.compile(re.escape(NAME_PREFIX) + r"[A-Za-z0-9._-]+")
"""Names of ours; none holds a character that is a wildcard to PowerShell."""

PIPE_PREFIX = "\\\\.\\pipe\\"

IDE_PLACES = tuple((number, location) for number in (0, 1) for location in (0, 1))
"""The two controllers of generation 1, with two places each."""

BIOS_ORDER = ("IDE", "CD", "LegacyNetworkAdapter", "Floppy")
"""What a machine of generation 1 boots from, where nothing else is asked for."""


@dataclass(frozen=True)
class Step:
    """One script with its parameters."""

    script: str
    parameters: Mapping[str, Value]


@dataclass(frozen=True)
class HostDisk:
    """A disk's or medium's content on the host, and the differencing disk that is written to.

    `written` is None for what nobody writes to: each machine gets a differencing disk of its own.
    """

    base: str
    written: str | None = None


@dataclass(frozen=True)
class HostFolders:
    """Where files of ours lie on the host, below its own folder of virtual hard disks."""

    root: str

    @classmethod
    def below(cls, folder: str) -> HostFolders:
        """Those below a folder of the host's."""
        return cls(folder.rstrip("\\") + "\\guestcert")

    @property
    def images(self) -> str:
        """Disks and media that later runs use too, each under its digest, read-only."""
        return f"{self.root}\\images"

    @property
    def uploads(self) -> str:
        """A folder for each run, of what is its own: seeds, and disks that it provisioned."""
        return f"{self.root}\\uploads"

    @property
    def states(self) -> str:
        """A folder for each machine that was saved."""
        return f"{self.root}\\states"

    def machine(self, name: str) -> str:
        """One machine's own files."""
        return f"{self.root}\\machines\\{name}"

    def state(self, name: str) -> str:
        """One saved machine."""
        return f"{self.states}\\{name}"

    def upload(self, run: str) -> str:
        """What is one run's own."""
        return f"{self.uploads}\\{NAME_PREFIX}{run}"


def guard(name: str) -> None:
    """Nothing that is not ours is ever made, changed or taken away."""
    if not NAME.fullmatch(name):
        raise HypervisorError(f"{name!r} does not begin with {NAME_PREFIX}: it is not ours")


def generation(definition: MachineDefinition) -> int:
    """1 for BIOS, 2 for UEFI."""
    return 1 if definition.firmware is Firmware.BIOS else 2


def pipe_name(name: str) -> str:
    """The pipe of the host behind a machine's first serial port."""
    return f"{name}-com1"


def hyperv_mac(mac: str) -> str:
    """A MAC address as Hyper-V writes it."""
    return mac.replace(":", "").upper()


def notes_of(owner: Ownership) -> str:
    """What stands in the notes of everything that guestcert made: a lease, from now on."""
    return encode_lease(lease_for(owner))


def machine_steps(
    definition: MachineDefinition, folders: HostFolders, media: Mapping[Path, HostDisk]
) -> Iterator[Step]:
    """The scripts that make a machine, in order; `media` has every disk as it is on the host.

    Raises HypervisorError for what Hyper-V has not.
    """
    _refuse(definition)
    name = definition.name
    yield _new_machine(definition, folders)
    identity: dict[str, Value] = {"Name": name, "Uuid": definition.uuid}
    yield Step("Set-Identity", identity | {"Serial": definition.smbios_serial or None})
    places = _places(definition)
    for disk in definition.disks:
        yield _disk_step(definition, disk, places, folders, media[disk.path])
    legacy = _boots_from_network(definition) and generation(definition) == 1
    for nic in definition.nics:
        yield nic_step(name, nic, legacy=legacy and nic.boot_order is not None)
    yield _boot_step(definition, places)
    if definition.tpm:
        yield Step("Enable-Tpm", {"Name": name})


def network_step(definition: NetworkDefinition) -> Step:
    """The script that makes a network."""
    subnet = ipaddress.ip_interface(f"{definition.gateway}/{definition.prefix}").network
    six = ipaddress.ip_interface(f"{definition.gateway_v6}/{definition.prefix_v6}").network
    return Step(
        "New-Network",
        {
            "Name": definition.name,
            "Notes": notes_of(definition.owner),
            "Gateway": definition.gateway,
            "Prefix": definition.prefix,
            "Subnet": str(subnet.network_address),
            "Mask": str(subnet.netmask),
            "Start": definition.dhcp_start,
            "End": definition.dhcp_end,
            "Gateway6": definition.gateway_v6,
            "Prefix6": definition.prefix_v6,
            "Subnet6": str(six),
            "HostName": definition.host_name,
            "Domain": definition.domain,
        },
    )


def nic_step(name: str, nic: NicDefinition, *, legacy: bool) -> Step:
    """The script that adds a NIC, with every guard on unless it may spoof.

    What boots from the network in generation 1 is `legacy`.
    """
    return Step(
        "Add-Nic",
        {
            "Name": name,
            "Nic": nic.mac,
            "Mac": hyperv_mac(nic.mac),
            "Network": nic.network,
            "Legacy": legacy,
            "Guard": "Off" if nic.may_spoof else "On",
            "Spoofing": "On" if nic.may_spoof else "Off",
        },
    )


def _refuse(definition: MachineDefinition) -> None:
    lacking = {
        "a watchdog": definition.watchdog,
        "models of processors": definition.cpu_model is not None,
        "a kernel loaded without a boot loader": definition.direct_boot is not None,
        "a disk that two machines write to, on a local folder": any(
            disk.shareable for disk in definition.disks
        ),
        "a TPM in generation 1": definition.tpm and generation(definition) == 1,
        "a floppy drive in generation 2": generation(definition) == 2
        and any(disk.device is DiskDevice.FLOPPY for disk in definition.disks),
    }
    for what, asked in lacking.items():
        if asked:
            raise HypervisorError(f"defining {definition.name}: Hyper-V has not {what}")


def _new_machine(definition: MachineDefinition, folders: HostFolders) -> Step:
    topology, dynamic = definition.topology, definition.dynamic_memory
    split = topology is not None and topology.nodes > 1
    return Step(
        "New-Machine",
        {
            "Name": definition.name,
            "Generation": generation(definition),
            "Folder": folders.machine(definition.name),
            "Notes": notes_of(definition.owner),
            "MemoryMib": definition.memory_mib,
            "Processors": definition.vcpus,
            "LegacyProcessor": definition.legacy_processor,
            "Pipe": PIPE_PREFIX + pipe_name(definition.name),
            "ProcessorsPerNode": definition.vcpus // topology.nodes if topology and split else None,
            "CoreThreads": topology.threads if topology else None,
            "MinimumMib": dynamic.minimum_mib if dynamic else None,
            "MaximumMib": dynamic.maximum_mib if dynamic else None,
        },
    )


Place = tuple[str, int, int]
"""A controller's kind and number, and the place on it."""


def _places(definition: MachineDefinition) -> dict[Path, Place]:
    """Where each disk goes: on generation 1 what boots, and every DVD, must sit on IDE.

    A definition's bus is QEMU's word for it; Hyper-V has no other buses than these two.
    """
    drives = [disk for disk in definition.disks if disk.device is not DiskDevice.FLOPPY]
    drives.sort(key=lambda disk: disk.boot_order or len(drives) + 1)
    if generation(definition) == 2:
        return {disk.path: ("SCSI", 0, place) for place, disk in enumerate(drives)}
    ide, scsi = list(IDE_PLACES), 0
    places: dict[Path, Place] = {}
    for disk in drives:
        wants = disk.boot_order is not None or disk.device is DiskDevice.CDROM or disk.bus == "ide"
        if wants and not ide:
            raise HypervisorError(
                f"defining {definition.name}: generation 1 has four places on IDE, and it asks "
                "for more"
            )
        if wants:
            places[disk.path] = ("IDE", *ide.pop(0))
        else:
            places[disk.path] = ("SCSI", 0, scsi)
            scsi += 1
    return places


def _disk_step(
    definition: MachineDefinition,
    disk: DiskDefinition,
    places: Mapping[Path, Place],
    folders: HostFolders,
    source: HostDisk,
) -> Step:
    name = definition.name
    if disk.device is DiskDevice.FLOPPY:
        return Step("Set-Floppy", {"Name": name, "Path": source.base})
    kind, number, location = places[disk.path]
    place: dict[str, Value] = {"Name": name, "Number": number, "Location": location}
    if disk.device is DiskDevice.CDROM:
        return Step("Add-Dvd", place | {"Path": source.base})
    own = source.written or f"{folders.machine(name)}\\{kind}-{number}-{location}.vhdx"
    return Step("Add-Disk", place | {"Base": source.base, "Path": own, "Controller": kind})


def _boot_step(definition: MachineDefinition, places: Mapping[Path, Place]) -> Step:
    if generation(definition) == 1:
        return Step("Set-Bios", {"Name": definition.name, "Order": _bios_order(definition)})
    enforced = definition.firmware is Firmware.SECURE_BOOT
    return Step(
        "Set-Firmware",
        {
            "Name": definition.name,
            "SecureBoot": "On" if enforced else "Off",
            "Template": str(definition.secure_boot_template) if enforced else None,
            "Order": _firmware_order(definition, places),
        },
    )


def _boots_from_network(definition: MachineDefinition) -> bool:
    return any(nic.boot_order is not None for nic in definition.nics)


def _bios_order(definition: MachineDefinition) -> list[str]:
    """Kinds of devices: those that are asked for come first, and none is ever left out."""
    kinds = {DiskDevice.DISK: "IDE", DiskDevice.CDROM: "CD", DiskDevice.FLOPPY: "Floppy"}
    asked = [(disk.boot_order, kinds[disk.device]) for disk in definition.disks]
    asked += [(nic.boot_order, "LegacyNetworkAdapter") for nic in definition.nics]
    return list(dict.fromkeys([*_in_order(asked), *BIOS_ORDER]))


def _firmware_order(definition: MachineDefinition, places: Mapping[Path, Place]) -> list[str]:
    """Single devices, as Set-Firmware names them."""
    asked = []
    for disk in definition.disks:
        _, number, location = places[disk.path]
        kind = "dvd" if disk.device is DiskDevice.CDROM else "disk"
        asked.append((disk.boot_order, f"{kind} {number} {location}"))
    asked += [(nic.boot_order, f"nic {nic.mac}") for nic in definition.nics]
    return _in_order(asked)


def _in_order(asked: Sequence[tuple[int | None, str]]) -> list[str]:
    numbered = [(order, what) for order, what in asked if order is not None]
    return [what for _, what in sorted(numbered)]
