"""MachineDefinition and NetworkDefinition as script calls, and leases in notes."""

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
    Ownership,
)
from harness.hypervisors.hyperv.nic_calls import nic_calls
from harness.hypervisors.hyperv.remoting import ScriptCall, Value
from harness.hypervisors.leases import encode_lease, lease_for
from harness.profiles.hardware import Firmware

NAME = re.compile(re.escape(NAME_PREFIX) + r"[A-Za-z0-9._-]+")
"""Valid names; without characters that are wildcards in PowerShell."""

PIPE_PREFIX = "\\\\.\\pipe\\"

IDE_SLOTS = tuple((number, location) for number in (0, 1) for location in (0, 1))
"""The two controllers of generation 1, with two slots each."""

BIOS_ORDER = ("IDE", "CD", "LegacyNetworkAdapter", "Floppy")
"""Default boot order of a generation 1 machine."""


@dataclass(frozen=True)
class HostDisk:
    """A disk's or medium's content on the host, and the differencing disk with the guest's writes.

    `written` is None for read-only content: each machine then gets a new differencing disk.
    """

    base: str
    written: str | None = None


@dataclass(frozen=True)
class HostFolders:
    """guestcert's folders on the host, below the host's folder of virtual hard disks."""

    root: str

    @classmethod
    def below(cls, folder: str) -> HostFolders:
        """The folders below a folder of the host."""
        return cls(folder.rstrip("\\") + "\\guestcert")

    @property
    def images(self) -> str:
        """Disks and media that later runs reuse, each under its digest, read-only."""
        return f"{self.root}\\images"

    @property
    def uploads(self) -> str:
        """One folder for each run, with its seeds and the disks that it provisioned."""
        return f"{self.root}\\uploads"

    @property
    def states(self) -> str:
        """One folder for each saved machine."""
        return f"{self.root}\\states"

    def machine(self, name: str) -> str:
        """The files of one machine."""
        return f"{self.root}\\machines\\{name}"

    def state(self, name: str) -> str:
        """One saved machine."""
        return f"{self.states}\\{name}"

    def upload(self, run: str) -> str:
        """The files of one run."""
        return f"{self.uploads}\\{NAME_PREFIX}{run}"


def guard(name: str) -> None:
    """Refuse every name without NAME_PREFIX: guestcert does not own it."""
    if not NAME.fullmatch(name):
        raise HypervisorError(
            f"guestcert does not own {name!r}: it does not begin with {NAME_PREFIX}"
        )


def generation(definition: MachineDefinition) -> int:
    """1 for BIOS, 2 for UEFI."""
    return 1 if definition.firmware is Firmware.BIOS else 2


def pipe_name(name: str) -> str:
    """The host's named pipe for a machine's first serial port."""
    return f"{name}-com1"


def notes_of(owner: Ownership) -> str:
    """The notes of every resource that guestcert creates: a lease, starting now."""
    return encode_lease(lease_for(owner))


def machine_calls(
    definition: MachineDefinition, folders: HostFolders, media: Mapping[Path, HostDisk]
) -> Iterator[ScriptCall]:
    """The script calls that create a machine, in order; `media` maps disks to the host's files.

    Raises HypervisorError for features that Hyper-V lacks.
    """
    _refuse(definition)
    name = definition.name
    yield _new_machine(definition, folders)
    identity: dict[str, Value] = {"Name": name, "Uuid": definition.uuid}
    yield ScriptCall("Set-Identity", identity | {"Serial": definition.smbios_serial or None})
    slots = _slots(definition)
    for disk in definition.disks:
        yield _disk_call(definition, disk, slots, folders, media[disk.path])
    legacy = _boots_from_network(definition) and generation(definition) == 1
    for nic in definition.nics:
        yield from nic_calls(name, nic, legacy=legacy and nic.boot_order is not None)
    yield _boot_call(definition, slots)
    if definition.tpm:
        yield ScriptCall("Enable-Tpm", {"Name": name})


def network_call(definition: NetworkDefinition) -> ScriptCall:
    """The script call that creates a network."""
    subnet = ipaddress.ip_interface(f"{definition.gateway}/{definition.prefix}").network
    six = ipaddress.ip_interface(f"{definition.gateway_v6}/{definition.prefix_v6}").network
    return ScriptCall(
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


def _refuse(definition: MachineDefinition) -> None:
    unsupported = {
        "a watchdog": definition.watchdog,
        "processor models": definition.cpu_model is not None,
        "a kernel loaded without a boot loader": definition.direct_boot is not None,
        "a disk in a local folder that two machines write to": any(
            disk.shareable for disk in definition.disks
        ),
        "a TPM in generation 1": definition.tpm and generation(definition) == 1,
        "a floppy drive in generation 2": generation(definition) == 2
        and any(disk.device is DiskDevice.FLOPPY for disk in definition.disks),
    }
    for what, requested in unsupported.items():
        if requested:
            raise HypervisorError(f"defining {definition.name}: Hyper-V does not support {what}")


def _new_machine(definition: MachineDefinition, folders: HostFolders) -> ScriptCall:
    topology, dynamic = definition.topology, definition.dynamic_memory
    split = topology is not None and topology.nodes > 1
    return ScriptCall(
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


Slot = tuple[str, int, int]
"""A controller's kind and number, and the location on it."""


def _slots(definition: MachineDefinition) -> dict[Path, Slot]:
    """The slot of each disk: in generation 1, boot disks and DVDs must be on IDE.

    A definition's bus is QEMU's term; Hyper-V has only these two buses.
    """
    drives = [disk for disk in definition.disks if disk.device is not DiskDevice.FLOPPY]
    drives.sort(key=lambda disk: disk.boot_order or len(drives) + 1)
    if generation(definition) == 2:
        return {disk.path: ("SCSI", 0, location) for location, disk in enumerate(drives)}
    ide, scsi = list(IDE_SLOTS), 0
    slots: dict[Path, Slot] = {}
    for disk in drives:
        wants = disk.boot_order is not None or disk.device is DiskDevice.CDROM or disk.bus == "ide"
        if wants and not ide:
            raise HypervisorError(
                f"defining {definition.name}: generation 1 has four IDE slots, and the definition "
                "needs more"
            )
        if wants:
            slots[disk.path] = ("IDE", *ide.pop(0))
        else:
            slots[disk.path] = ("SCSI", 0, scsi)
            scsi += 1
    return slots


def _disk_call(
    definition: MachineDefinition,
    disk: DiskDefinition,
    slots: Mapping[Path, Slot],
    folders: HostFolders,
    source: HostDisk,
) -> ScriptCall:
    name = definition.name
    if disk.device is DiskDevice.FLOPPY:
        return ScriptCall("Set-Floppy", {"Name": name, "Path": source.base})
    kind, number, location = slots[disk.path]
    slot: dict[str, Value] = {"Name": name, "Number": number, "Location": location}
    if disk.device is DiskDevice.CDROM:
        return ScriptCall("Add-Dvd", slot | {"Path": source.base})
    own = source.written or f"{folders.machine(name)}\\{kind}-{number}-{location}.vhdx"
    return ScriptCall("Add-Disk", slot | {"Base": source.base, "Path": own, "Controller": kind})


def _boot_call(definition: MachineDefinition, slots: Mapping[Path, Slot]) -> ScriptCall:
    if generation(definition) == 1:
        return ScriptCall("Set-Bios", {"Name": definition.name, "Order": _bios_order(definition)})
    enforced = definition.firmware is Firmware.SECURE_BOOT
    return ScriptCall(
        "Set-Firmware",
        {
            "Name": definition.name,
            "SecureBoot": "On" if enforced else "Off",
            "Template": str(definition.secure_boot_template) if enforced else None,
            "Order": _firmware_order(definition, slots),
        },
    )


def _boots_from_network(definition: MachineDefinition) -> bool:
    return any(nic.boot_order is not None for nic in definition.nics)


def _bios_order(definition: MachineDefinition) -> list[str]:
    """All kinds of devices, requested ones first."""
    kinds = {DiskDevice.DISK: "IDE", DiskDevice.CDROM: "CD", DiskDevice.FLOPPY: "Floppy"}
    requested = [(disk.boot_order, kinds[disk.device]) for disk in definition.disks]
    requested += [(nic.boot_order, "LegacyNetworkAdapter") for nic in definition.nics]
    return list(dict.fromkeys([*_in_order(requested), *BIOS_ORDER]))


def _firmware_order(definition: MachineDefinition, slots: Mapping[Path, Slot]) -> list[str]:
    """Single devices, in Set-Firmware's notation."""
    requested = []
    for disk in definition.disks:
        _, number, location = slots[disk.path]
        kind = "dvd" if disk.device is DiskDevice.CDROM else "disk"
        requested.append((disk.boot_order, f"{kind} {number} {location}"))
    requested += [(nic.boot_order, f"nic {nic.mac}") for nic in definition.nics]
    return _in_order(requested)


def _in_order(requested: Sequence[tuple[int | None, str]]) -> list[str]:
    numbered = [(order, what) for order, what in requested if order is not None]
    return [what for _, what in sorted(numbered)]
