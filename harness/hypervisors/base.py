"""The contract of every hypervisor: Machine, Network, Hypervisor."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from harness.events import EventLog
from harness.hypervisors.capabilities import Capability
from harness.hypervisors.definitions import (
    Accelerator,
    MachineDefinition,
    NetworkDefinition,
    Ownership,
)
from harness.hypervisors.leases import Lease

NAME_PREFIX = "guestcert-"
"""Prefix of every machine and network that guestcert owns; nothing else is ever touched."""


class MachineState(StrEnum):
    """A machine's state, as the hypervisor reports it."""

    OFF = "off"
    RUNNING = "running"
    PAUSED = "paused"
    CRASHED = "crashed"
    ASLEEP = "asleep"  # suspended to memory, by its guest


class SleepState(StrEnum):
    """A guest's sleep state, by ACPI's names."""

    S3 = "s3"  # suspend to memory
    S4 = "s4"  # suspend to disk; the machine is off


class Key(StrEnum):
    """Keys that installers ask for."""

    ENTER = "enter"
    SPACE = "space"


class PowerMethod(StrEnum):
    """The way in which the guest is asked to shut down or reboot."""

    ACPI = "acpi"  # the power button
    AGENT = "agent"  # the guest agent's own command


class Machine(Protocol):
    """One virtual machine. Every method raises HypervisorError where the hypervisor refuses."""

    @property
    def name(self) -> str:
        """The name, which begins with NAME_PREFIX."""
        ...

    @property
    def definition(self) -> MachineDefinition:
        """The definition that it was created from."""
        ...

    @property
    def events(self) -> EventLog:
        """The hypervisor's events since the machine was created, without polling."""
        ...

    def state(self) -> MachineState:
        """The current state."""
        ...

    def seconds_starved(self) -> float:
        """Seconds since its start that a processor was runnable while the host ran others.

        That of the processor that waited longest; 0 where the hypervisor does not count it.
        """
        ...

    def start(self, *, paused: bool = False) -> None:
        """Power on; with `paused`, stop before the first instruction until `resume`."""
        ...

    def pause(self) -> None:
        """Stop the virtual CPUs."""
        ...

    def resume(self) -> None:
        """Resume the virtual CPUs."""
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
        """Send the guest a non-maskable interrupt."""
        ...

    def power_off(self) -> None:
        """Cut the power (idempotent)."""
        ...

    def save(self, state_file: Path) -> None:
        """Write memory and device state to `state_file` and stop the machine."""
        ...

    def restore(self, state_file: Path, *, paused: bool = False) -> None:
        """Continue from `state_file`, over the disks of the current definition."""
        ...

    def take_snapshot(self, name: str) -> None:
        """Take a snapshot of memory and disks; the machine keeps running."""
        ...

    def revert(self, name: str, *, paused: bool = False) -> None:
        """Return to the snapshot of this name."""
        ...

    def sleep(self, state: SleepState) -> None:
        """Ask the guest to sleep; returns once asked. Proof is the ASLEEP or STOPPED event."""
        ...

    def wake_up(self) -> None:
        """Wake a guest from S3."""
        ...

    def remove(self) -> None:
        """Power off; remove the machine, its NVRAM and snapshots, not its disks (idempotent)."""
        ...

    def open_console(self) -> socket.socket:
        """Both directions of the first serial port; the caller drains and closes it."""
        ...

    def agent_command(self, command: str, *, timeout: float) -> str:
        """Send one JSON command to the guest agent; return its JSON answer (never trusted).

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
        """The hypervisor's own full description, for people and evidence."""
        ...

    def hypervisor_log(self) -> str:
        """The end (at most 64 KiB) of the hypervisor's log of this machine."""
        ...

    def move_nic(self, mac: str, network: str) -> None:
        """Plug a running machine's NIC into another network that guestcert owns."""
        ...


class Network(Protocol):
    """An isolated network that guestcert owns."""

    @property
    def name(self) -> str:
        """The name, which begins with NAME_PREFIX."""
        ...

    def leases(self) -> Mapping[str, str]:
        """Leased IPv4 addresses by MAC."""
        ...

    def remove(self) -> None:
        """Remove the network (idempotent)."""
        ...


@dataclass(frozen=True)
class Owned:
    """A resource with NAME_PREFIX found on a hypervisor, with its lease (None: unreadable)."""

    kind: str  # machine, network
    name: str
    lease: Lease | None

    @property
    def owner(self) -> Ownership | None:
        """The owner, by the lease."""
        return self.lease.owner if self.lease is not None else None


@dataclass(frozen=True)
class HypervisorFacts:
    """Facts for the environment fingerprint; the values are the hypervisor's own."""

    name: str  # QEMU, Hyper-V, fake
    version: str
    extra: Mapping[str, str] = field(default_factory=dict)  # libvirt, host kernel, CPU, firmware


class Hypervisor(Protocol):
    """A connection that creates machines."""

    @property
    def uri(self) -> str:
        """The address."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """The capabilities here, probed, not presumed."""
        ...

    def facts(self) -> HypervisorFacts:
        """Name, version and environment."""
        ...

    def processor_flags(self, model: str, machine_type: str, accelerator: Accelerator) -> set[str]:
        """Features that a processor of that model offers to a guest here, by libvirt's names."""
        ...

    def define(self, definition: MachineDefinition) -> Machine:
        """Create a powered-off machine; replaces an existing one of that name."""
        ...

    def create_network(self, definition: NetworkDefinition) -> Network:
        """Create and start an isolated network."""
        ...

    def taken_subnets(self) -> Sequence[str]:
        """IPv4 networks (CIDR) in use on the host or by other networks."""
        ...

    def owned(self) -> Sequence[Owned]:
        """All resources with NAME_PREFIX, of any run."""
        ...

    def renew(self, owned: Owned) -> None:
        """Renew the lease on one of `owned()` (no error where it is gone).

        A resource that cannot be renewed has a lease of UNRENEWABLE_TERM.
        """
        ...

    def remove(self, owned: Owned) -> None:
        """Remove one of `owned()` (idempotent)."""
        ...

    def close(self) -> None:
        """Close the connection; machines are not affected."""
        ...
