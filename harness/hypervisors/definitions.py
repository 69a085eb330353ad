"""Definitions of machines and networks: the expected value of every oracle about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from harness.hypervisors.nic_policy import NicPolicy
from harness.profiles.hardware import Firmware
from harness.profiles.hyperv import SecureBootTemplate


class Accelerator(StrEnum):
    """The executor of a guest's instructions."""

    KVM = "kvm"
    TCG = "tcg"
    HYPERV = "hyperv"

    @property
    def time_scale(self) -> float:
        """The factor for time budgets, which are written for KVM."""
        return 8.0 if self is Accelerator.TCG else 1.0


@dataclass(frozen=True)
class Ownership:
    """The owner of a machine or network: a run, which one process leads."""

    run: str
    host: str  # the scope of `pid`: a host and a PID namespace
    pid: int
    pid_started: str  # the process's start time as its kernel reports it: pids are reused


class DiskDevice(StrEnum):
    """The kind of drive that the guest sees."""

    DISK = "disk"
    CDROM = "cdrom"
    FLOPPY = "floppy"


@dataclass(frozen=True)
class DiskDefinition:
    """A disk of a machine; `serial` is at most 20 ASCII characters (virtio-blk's limit)."""

    path: Path
    serial: str
    bus: str = "virtio"  # virtio, scsi (virtio-scsi), sata, ide, fdc
    device: DiskDevice = DiskDevice.DISK
    format: str = "qcow2"  # qcow2 or raw
    read_only: bool = False
    shareable: bool = False
    boot_order: int | None = None


@dataclass(frozen=True)
class NicDefinition:
    """A NIC plugged into a network created by guestcert (`network` is its full name).

    By the default policy a guest sends only from its NIC's `mac` and IPv4 `address` (without an
    address only DHCP requests), and neither DHCP answers nor router advertisements.
    """

    mac: str
    network: str
    model: str = "virtio"  # virtio, e1000e, e1000, rtl8139
    address: str | None = None  # the IPv4 address that the network reserves for `mac`
    policy: NicPolicy = field(default_factory=NicPolicy)
    boot_order: int | None = None


@dataclass(frozen=True)
class Topology:
    """Processor topology; the product of the counts is the machine's `vcpus`."""

    sockets: int
    cores: int  # of each socket
    threads: int  # of each core
    nodes: int = 1  # NUMA nodes, which share processors and memory evenly


@dataclass(frozen=True)
class DynamicMemory:
    """Limits of Hyper-V's dynamic memory; the machine starts with its `memory_mib`."""

    minimum_mib: int
    maximum_mib: int


@dataclass(frozen=True)
class DirectBoot:
    """A kernel that the hypervisor loads itself, without the machine's boot loader."""

    kernel: Path
    initrd: Path
    command_line: str


@dataclass(frozen=True)
class MachineDefinition:
    """The machine to create; the expected value of every hardware oracle."""

    name: str
    uuid: str
    memory_mib: int
    vcpus: int
    firmware: Firmware
    machine_type: str  # q35, pc
    accelerator: Accelerator
    owner: Ownership
    disks: Sequence[DiskDefinition] = ()
    nics: Sequence[NicDefinition] = ()
    nvram: Path | None = None  # UEFI's variables; made from the firmware's template when absent
    smbios_serial: str = ""
    direct_boot: DirectBoot | None = None
    topology: Topology | None = None  # None: the hypervisor's default
    watchdog: bool = False  # it resets the machine
    cpu_model: str | None = None  # libvirt's name; None: all that host and accelerator support
    generation_id: bool = False  # a VM generation id, which differs in each copy
    tpm: bool = False  # a TPM 2.0, whose contents are removed with the machine
    secure_boot_template: SecureBootTemplate = SecureBootTemplate.MICROSOFT_UEFI  # Hyper-V only
    legacy_processor: bool = False  # Hyper-V limits the processor features that old systems see
    dynamic_memory: DynamicMemory | None = None  # None: static memory


@dataclass(frozen=True)
class NetworkDefinition:
    """An isolated network with DHCP, a name server and IPv6, and no way out.

    `name` begins with NAME_PREFIX; `host_name` resolves to `gateway` there. Guests get a default
    route to `gateway`, which forwards nothing. On the host they reach DHCP, and, at the gateway's
    addresses only, the name server and ICMP.
    """

    name: str
    bridge: str  # at most 15 characters, the kernel's limit
    gateway: str  # IPv4, the host's own address on the bridge
    prefix: int
    dhcp_start: str
    dhcp_end: str
    gateway_v6: str
    prefix_v6: int
    host_name: str
    domain: str
    owner: Ownership
    reservations: Mapping[str, str] = field(default_factory=dict)  # IPv4 address by MAC
