"""The contract of every hypervisor: capabilities, Machine, Network, Hypervisor."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from harness.events import EventLog
from harness.hypervisors.definitions import (
    Accelerator,
    MachineDefinition,
    NetworkDefinition,
    Ownership,
)
from harness.hypervisors.leases import Lease

NAME_PREFIX = "guestcert-"
"""Every machine and network of ours is named with it; nothing else is ever touched."""


class Capability(StrEnum):
    """What a hypervisor can do here; a case that needs one declares it."""

    RUN = "run"  # machines execute guest code (libvirt's test driver's do not)
    UEFI = "uefi"
    SECURE_BOOT = "secure-boot"
    TPM = "tpm"
    PAUSE = "pause"
    RESET = "reset"
    SAVE_RESTORE = "save-restore"
    CONSOLE = "console"
    AGENT = "agent"
    SCREENSHOT = "screenshot"
    KEYBOARD = "keyboard"
    NETWORK = "network"  # isolated networks of our own can be made
    HOST_PORTS = "host-ports"  # its host, on which guestcert runs, is closed to guests' networks
    WATCHDOG = "watchdog"
    NMI = "nmi"
    QEMU_DEVICES = "qemu-devices"  # ids, serials and strings are QEMU's, as a definition names them
    NVME = "nvme"  # disks on a controller of their own, by NVM Express
    SNAPSHOT = "snapshot"  # of memory and disks, in a chain
    UEFI_SNAPSHOT = "uefi-snapshot"  # the same of machines with UEFI's variables
    SLEEP = "sleep"  # machines are put to sleep (S3, S4) and woken
    CPU_MODEL = "cpu-model"  # a machine's processor can be another than the host's
    GENERATION_ID = "generation-id"  # tells a guest that it is a copy
    NIC_MOVE = "nic-move"  # a running machine's NIC can be plugged into another network
    POWER_BUTTON = "power-button"  # the guest is asked to shut down or reboot by ACPI
    REMOTE_DISKS = "remote-disks"  # what a guest writes stays on the hypervisor's host
    NETWORK_POLICY = "network-policy"  # VLANs, guards and ACLs of each network card
    METERING = "metering"  # of what a machine uses of its host
    PRODUCTION_CHECKPOINT = "production-checkpoint"  # of disks that the guest has quiesced
    HOST_SERVICES = "host-services"  # it has integration services of its own, with a host's side


class MachineState(StrEnum):
    """What the hypervisor says that a machine is doing."""

    OFF = "off"
    RUNNING = "running"
    PAUSED = "paused"
    CRASHED = "crashed"
    ASLEEP = "asleep"  # suspended to memory, by its guest


class SleepState(StrEnum):
    """How deep a guest sleeps, by ACPI's names."""

    S3 = "s3"  # its memory is kept
    S4 = "s4"  # its memory is on its disk, and it is off


class Key(StrEnum):
    """Keys that an installer may want to have pressed."""

    ENTER = "enter"
    SPACE = "space"


class PowerMethod(StrEnum):
    """Through what the guest is asked to shut down or reboot."""

    ACPI = "acpi"  # the power button
    AGENT = "agent"  # the guest agent's own command


class Machine(Protocol):
    """One virtual machine. Every method raises HypervisorError where the hypervisor refuses."""

    @property
    def name(self) -> str:
        """The name, beginning with NAME_PREFIX."""
        ...

    @property
    def definition(self) -> MachineDefinition:
        """What it was made from."""
        ...

    @property
    def events(self) -> EventLog:
        """What the hypervisor reported since the machine was made, without polling."""
        ...

    def state(self) -> MachineState:
        """What the hypervisor says now."""
        ...

    def start(self, *, paused: bool = False) -> None:
        """Power on; with `paused`, before the first instruction, until `resume`."""
        ...

    def pause(self) -> None:
        """Stop the virtual CPUs."""
        ...

    def resume(self) -> None:
        """Let the virtual CPUs go on."""
        ...

    def shutdown(self, method: PowerMethod) -> None:
        """Ask the guest to power off; returns once asked. Proof is the STOPPED event."""
        ...

    def reboot(self, method: PowerMethod) -> None:
        """Ask the guest to reboot; returns once asked."""
        ...

    def reset(self) -> None:
        """Press the reset button."""
        ...

    def inject_nmi(self) -> None:
        """Interrupt the guest as it cannot mask."""
        ...

    def power_off(self) -> None:
        """Pull the plug; no error where it is off already."""
        ...

    def save(self, state_file: Path) -> None:
        """Write memory and devices to `state_file` and end the process."""
        ...

    def restore(self, state_file: Path, *, paused: bool = False) -> None:
        """Go on from `state_file`, over the disks of the present definition."""
        ...

    def take_snapshot(self, name: str) -> None:
        """Keep memory and disks as they are now; the machine runs on."""
        ...

    def revert(self, name: str, *, paused: bool = False) -> None:
        """Be again what it was when the snapshot of this name was taken."""
        ...

    def sleep(self, state: SleepState) -> None:
        """Ask the guest to sleep; returns once asked. Proof is the ASLEEP or STOPPED event."""
        ...

    def wake_up(self) -> None:
        """Wake a guest from S3."""
        ...

    def remove(self) -> None:
        """Power off and forget the machine and its NVRAM; its disks stay. No error when gone.

        Its snapshots go with it.
        """
        ...

    def open_console(self) -> socket.socket:
        """Both directions of the first serial port; the caller reads it empty and closes it."""
        ...

    def agent_command(self, command: str, *, timeout: float) -> str:
        """Send one JSON command to the guest agent, return its JSON answer (never trusted).

        Raises ChannelError where no agent answers within `timeout` seconds.
        """
        ...

    def screenshot(self) -> bytes:
        """The display as a PNG."""
        ...

    def press_key(self, key: Key) -> None:
        """Press and release a key of the machine's keyboard."""
        ...

    def description(self) -> str:
        """The hypervisor's own full definition, for people and evidence."""
        ...

    def hypervisor_log(self) -> str:
        """The tail (at most 64 KiB) of what the hypervisor logged about this machine."""
        ...

    def move_nic(self, mac: str, network: str) -> None:
        """Plug a running machine's NIC into another network of ours."""
        ...


class Network(Protocol):
    """An isolated network of ours."""

    @property
    def name(self) -> str:
        """The name, beginning with NAME_PREFIX."""
        ...

    def leases(self) -> Mapping[str, str]:
        """IPv4 address by MAC, as the DHCP server handed them out."""
        ...

    def remove(self) -> None:
        """Take it away; no error when gone."""
        ...


@dataclass(frozen=True)
class Owned:
    """Something with our prefix found on a hypervisor, with its lease (None: unreadable)."""

    kind: str  # machine, network
    name: str
    lease: Lease | None

    @property
    def owner(self) -> Ownership | None:
        """Whose it is."""
        return self.lease.owner if self.lease is not None else None


@dataclass(frozen=True)
class HypervisorFacts:
    """What the environment fingerprint needs of a hypervisor; values are its own words."""

    name: str  # QEMU, Hyper-V, fake
    version: str
    extra: Mapping[str, str] = field(default_factory=dict)  # libvirt, host kernel, CPU, firmware


class Hypervisor(Protocol):
    """A connection that makes machines."""

    @property
    def uri(self) -> str:
        """Where it is."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do here, probed, not presumed."""
        ...

    def facts(self) -> HypervisorFacts:
        """Its name, version and surroundings."""
        ...

    def processor_flags(self, model: str, machine_type: str, accelerator: Accelerator) -> set[str]:
        """What a processor of that model offers to a guest here, by libvirt's names."""
        ...

    def define(self, definition: MachineDefinition) -> Machine:
        """Make a powered-off machine; a machine of that name of ours is replaced."""
        ...

    def create_network(self, definition: NetworkDefinition) -> Network:
        """Make and start an isolated network."""
        ...

    def taken_subnets(self) -> Sequence[str]:
        """IPv4 networks (CIDR) in use on the host or by other networks, to stay clear of."""
        ...

    def owned(self) -> Sequence[Owned]:
        """Everything with our prefix that is there, of any run."""
        ...

    def renew(self, owned: Owned) -> None:
        """Write a fresh lease of the same owner on one of `owned()`; no error when it is gone.

        What cannot be renewed has a lease that is long enough.
        """
        ...

    def remove(self, owned: Owned) -> None:
        """Take away one of `owned()`; no error when it is gone already."""
        ...

    def close(self) -> None:
        """End the connection; machines stay as they are."""
        ...
