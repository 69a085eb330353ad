"""A connection to a Hyper-V host: its capabilities, machines and networks."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from harness.errors import HypervisorError
from harness.hypervisors.base import NAME_PREFIX, HypervisorFacts, Machine, Owned
from harness.hypervisors.capabilities import (
    GENERATION_ID,
    NETWORK,
    REMOTE_DISKS,
    RUN,
    SECURE_BOOT,
    TPM,
    UEFI,
    Binding,
    Capability,
    Facets,
    HypervisorFacet,
    NetworkFacet,
    bind,
)
from harness.hypervisors.definitions import MachineDefinition, NetworkDefinition
from harness.hypervisors.facets.migration import MIGRATION
from harness.hypervisors.facets.nics import NIC_MOVE
from harness.hypervisors.facets.snapshots import PRODUCTION_SNAPSHOTS
from harness.hypervisors.hyperv.address import parse_address
from harness.hypervisors.hyperv.definition import (
    HostFolders,
    guard,
    machine_calls,
    network_call,
    notes_of,
)
from harness.hypervisors.hyperv.event_watch import Watcher
from harness.hypervisors.hyperv.facets import MACHINE_FACETS
from harness.hypervisors.hyperv.host_machine import HostMachine
from harness.hypervisors.hyperv.machine import HypervMachine
from harness.hypervisors.hyperv.remoting import Session
from harness.hypervisors.hyperv.transfer import Transfer
from harness.hypervisors.leases import decode_lease

F = TypeVar("F")

MODULE_REMEDY = (
    "install the role on the host: Install-WindowsFeature Hyper-V -IncludeManagementTools"
)

SERVER_2016 = 14393
"""The first build with Linux's Secure Boot template, virtual TPMs and production checkpoints."""

NETWORK_SERVERS = {"DHCPServer", "DNS"}
"""Windows services that serve an isolated network: a Hyper-V switch has neither DHCP nor DNS."""

SERVICE_STATE_HIDDEN = "Hidden"
"""State of a service that Windows shows to administrators only."""

ALWAYS = frozenset({UEFI, GENERATION_ID, REMOTE_DISKS})
"""Capabilities of every host; every machine has a generation id."""


@dataclass(frozen=True)
class HostState:
    """The host's facts that need no Hyper-V module."""

    name: str  # the name that other hosts use
    system: str
    build: str
    powershell: str
    processor: str
    architecture: str
    hypervisor: bool  # whether the hypervisor runs below the host's Windows
    module: str | None
    service: str | None  # state of vmms; SERVICE_STATE_HIDDEN, or None where it does not exist
    user: str
    administrator: bool
    servers: tuple[str, ...]  # running ones of NETWORK_SERVERS

    @property
    def build_number(self) -> int:
        """The third part of Windows' version."""
        parts = self.build.split(".")
        return int(parts[2]) if len(parts) > 2 and parts[2].isdigit() else 0


@dataclass(frozen=True)
class HostFacts:
    """The host's facts from the Hyper-V module."""

    folder: str
    free_bytes: int
    memory_bytes: int
    processors: int
    switches: tuple[str, ...]


class HypervHypervisor:
    """See Hypervisor."""

    def __init__(self, uri: str) -> None:
        self._address = parse_address(uri)
        self._run = Session(self._address)
        self._watcher = Watcher(Session(self._address))
        self.state = _state(self._run)  # connects: raises HypervisorUnreachableError

    @property
    def uri(self) -> str:
        """See Hypervisor."""
        return self._address.uri

    @cached_property
    def capabilities(self) -> frozenset[Capability]:
        """See Hypervisor."""
        found = {*ALWAYS, MIGRATION, *(binding.facet for binding in self._machine_facets)}
        if self.state.hypervisor:
            found.add(RUN)
        if self.state.build_number >= SERVER_2016:
            found |= {SECURE_BOOT, TPM}
        if self._makes_networks:
            found.add(NETWORK)
        return frozenset(found)

    @property
    def _makes_networks(self) -> bool:
        """Whether the host has the servers for isolated networks, and DNS policies."""
        has_policies = self.state.build_number >= SERVER_2016
        return has_policies and set(self.state.servers) >= NETWORK_SERVERS

    @property
    def _machine_facets(self) -> Sequence[Binding[HostMachine]]:
        lacking: set[Capability] = set() if self._makes_networks else {NIC_MOVE}
        if self.state.build_number < SERVER_2016:
            lacking.add(PRODUCTION_SNAPSHOTS)
        return [binding for binding in MACHINE_FACETS if binding.facet not in lacking]

    def facet(self, facet: HypervisorFacet[F]) -> F:
        """See Hypervisor."""
        return Facets(self, (bind(MIGRATION, HypervMigration),)).get(facet)

    def facts(self) -> HypervisorFacts:
        """See Hypervisor."""
        state = self.state
        return HypervisorFacts(
            name="Hyper-V",
            version=state.build,
            extra={
                "module": state.module or "",
                "kernel": f"{state.system} {state.build}",
                "cpu": state.processor,
                "architecture": state.architecture,
                "powershell": state.powershell,
            },
        )

    def host_facts(self) -> HostFacts:
        """The Hyper-V module's facts of the host. Raises HypervisorError without the role."""
        if self.state.module is None:
            raise HypervisorError(
                f"{self._address.host} has no Hyper-V module for PowerShell", remedy=MODULE_REMEDY
            )
        answer = self._run("Get-HostFacts", f"reading the facts of {self._address.host}")
        return HostFacts(
            folder=str(answer["folder"]),
            free_bytes=int(answer["free_bytes"]),
            memory_bytes=int(answer["memory_bytes"]),
            processors=int(answer["processors"]),
            switches=tuple(f"{each['name']} ({each['kind']})" for each in answer["switches"]),
        )

    def define(self, definition: MachineDefinition) -> HypervMachine:
        """See Hypervisor."""
        guard(definition.name)
        transfer = Transfer(self._run, self.folders)
        # All disks first: they take longest and fail most often.
        owner = definition.owner
        media = {disk.path: transfer.bring(disk, owner) for disk in definition.disks}
        calls = list(machine_calls(definition, self.folders, media))
        self._forget(definition.name)
        answers: list[dict[str, Any]] = []
        try:
            for call in calls:
                doing = f"defining {definition.name} ({call.script})"
                answers.append(self._run(call.script, doing, **call.parameters))
        except HypervisorError:
            self._forget(definition.name)
            raise
        return self.machine(definition, str(answers[0]["id"]))

    def create_network(self, definition: NetworkDefinition) -> HypervNetwork:
        """See Hypervisor."""
        guard(definition.name)
        call = network_call(definition)
        network = HypervNetwork(self._run, definition)
        network.remove()  # Hyper-V would create a second switch of the same name
        try:
            self._run(call.script, f"creating {definition.name}", **call.parameters)
        except HypervisorError:
            network.remove()
            raise
        return network

    def taken_subnets(self) -> Sequence[str]:
        """See Hypervisor."""
        answer = self._run("Get-Subnets", "reading the host's addresses")
        return [str(ipaddress.ip_interface(each).network) for each in answer["subnets"]]

    def owned(self) -> Sequence[Owned]:
        """See Hypervisor. Saved states and uploads are kinds too."""
        found = []
        listings: tuple[tuple[str, str, str, dict[str, str]], ...] = (
            ("machine", "Get-Machines", "machines", {"Prefix": NAME_PREFIX}),
            ("network", "Get-Networks", "networks", {"Prefix": NAME_PREFIX}),
            ("state", "Get-Folders", "folders", {"Folder": self.folders.states}),
            ("uploads", "Get-Folders", "folders", {"Folder": self.folders.uploads}),
        )
        for kind, script, key, parameters in listings:
            answer = self._run(script, f"listing resources of kind {kind}", **parameters)
            found += [
                Owned(kind, each["name"], decode_lease(each["notes"])) for each in answer[key]
            ]
        return found

    def renew(self, owned: Owned) -> None:
        """See Hypervisor."""
        guard(owned.name)
        if owned.owner is None:
            raise HypervisorError(f"renewing the lease on {owned.name}: it has none")
        doing, notes = f"renewing the lease on {owned.name}", notes_of(owned.owner)
        if owned.kind == "machine":
            self._run("Set-MachineNotes", doing, Name=owned.name, Notes=notes)
        elif owned.kind == "network":
            self._run("Set-NetworkNotes", doing, Name=owned.name, Notes=notes)
        else:
            self._run("Set-FolderNotes", doing, Folder=self._folder_of(owned), Notes=notes)

    def remove(self, owned: Owned) -> None:
        """See Hypervisor."""
        guard(owned.name)
        if owned.kind == "machine":
            self._forget(owned.name)
        elif owned.kind == "network":
            _remove_network(self._run, owned.name)
        else:
            doing = f"removing the {owned.kind} of {owned.name}"
            self._run("Remove-Folder", doing, Folder=self._folder_of(owned))

    def close(self) -> None:
        """See Hypervisor."""
        self._watcher.close()
        self._run.close()

    def machine(self, definition: MachineDefinition, identifier: str) -> HypervMachine:
        """The machine with Hyper-V's id `identifier`."""
        machine = HostMachine(
            self._run, self._address, definition, identifier, self.folders, self._watcher
        )
        return HypervMachine(machine, self._machine_facets)

    @cached_property
    def folders(self) -> HostFolders:
        """Folders of guestcert on the host."""
        return HostFolders.below(self.host_facts().folder)

    def _folder_of(self, owned: Owned) -> str:
        parent = self.folders.states if owned.kind == "state" else self.folders.uploads
        return f"{parent}\\{owned.name}"

    def _forget(self, name: str) -> None:
        folder = self.folders.machine(name)
        self._run("Remove-Machine", f"removing {name}", Name=name, Folder=folder)


class HypervNetwork:
    """See Network."""

    def __init__(self, run: Session, definition: NetworkDefinition) -> None:
        self._run = run
        self._definition = definition

    @property
    def name(self) -> str:
        """See Network."""
        return self._definition.name

    def facet(self, facet: NetworkFacet[F]) -> F:
        """See Network."""
        return Facets(self, ()).get(facet)

    def leases(self) -> Mapping[str, str]:
        """See Network."""
        gateway, prefix = self._definition.gateway, self._definition.prefix
        subnet = ipaddress.ip_interface(f"{gateway}/{prefix}").network.network_address
        doing = f"reading the leases of {self.name}"
        answer = self._run("Get-Leases", doing, Subnet=str(subnet))
        return {
            str(each["mac"]).replace("-", ":").lower(): each["address"] for each in answer["leases"]
        }

    def remove(self) -> None:
        """See Network."""
        _remove_network(self._run, self.name)


class HypervMigration:
    """See Migration. The source host moves the machine, and needs access to this host."""

    def __init__(self, hypervisor: HypervHypervisor) -> None:
        self._hypervisor = hypervisor

    def move_here(self, machine: Machine) -> HypervMachine:
        """See Migration."""
        host = self._hypervisor.state.name  # the address may be localhost or a tunnel's
        if not isinstance(machine, HypervMachine):
            raise HypervisorError(f"moving {machine.name} to {host}: it is not on Hyper-V")
        identifier = machine.leave_for(host, self._hypervisor.folders.machine(machine.name))
        return self._hypervisor.machine(machine.definition, identifier)


def _remove_network(run: Session, name: str) -> None:
    run("Remove-Network", f"removing the network {name}", Name=name)


def _state(run: Session) -> HostState:
    answer = run("Get-HostState", "connecting to the Hyper-V host")
    del answer["version"]
    answer["servers"] = tuple(answer["servers"])
    return HostState(**answer)
