"""A connection to libvirt: its capabilities, machines and networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import TypeVar

import libvirt
from defusedxml.ElementTree import fromstring

from harness.errors import HypervisorError, HypervisorUnreachableError
from harness.host import system
from harness.host.firmware import find_firmware
from harness.host.network import ipv4_subnets
from harness.hypervisors.base import NAME_PREFIX, HypervisorFacts, Owned
from harness.hypervisors.capabilities import (
    GENERATION_ID,
    NETWORK,
    NVME,
    QEMU_DEVICES,
    RUN,
    SECURE_BOOT,
    TPM,
    UEFI,
    WATCHDOG,
    Binding,
    Capability,
    Facets,
    HypervisorFacet,
    bind,
)
from harness.hypervisors.definitions import (
    MachineDefinition,
    NetworkDefinition,
    Ownership,
)
from harness.hypervisors.facets.cpu_models import CPU_MODELS
from harness.hypervisors.facets.host_ports import HOST_PORTS
from harness.hypervisors.facets.nics import NIC_MOVE
from harness.hypervisors.facets.snapshots import SNAPSHOTS
from harness.hypervisors.libvirt.cpu_models import LibvirtCpuModels
from harness.hypervisors.libvirt.definition import (
    machine_xml,
)
from harness.hypervisors.libvirt.domain import Domain
from harness.hypervisors.libvirt.errors import is_missing, wrap_errors
from harness.hypervisors.libvirt.event_loop import EventHub, ensure_event_loop
from harness.hypervisors.libvirt.facets import MACHINE_FACETS
from harness.hypervisors.libvirt.logs import console_copy
from harness.hypervisors.libvirt.machine import LibvirtMachine, remove_domain
from harness.hypervisors.libvirt.metadata import (
    can_renew_networks,
    lease_in,
    lease_on,
    renew_domain,
    renew_network,
)
from harness.hypervisors.libvirt.network import LibvirtNetwork, create_network, remove_network
from harness.hypervisors.libvirt.network_filter import network_of
from harness.hypervisors.libvirt.reachability import connection_remedy
from harness.hypervisors.libvirt.support import refuse_unsupported
from harness.profiles.hardware import Firmware

F = TypeVar("F")
T = TypeVar("T")

OVERRIDES_DEVICES = 8_002_000
"""The first version of libvirt whose definitions can override QEMU's devices: 8.2."""


class LibvirtHypervisor:
    """See Hypervisor."""

    def __init__(self, uri: str) -> None:
        ensure_event_loop()
        try:
            self._connection = libvirt.open(uri)
        except libvirt.libvirtError as error:
            raise HypervisorUnreachableError(
                f"no connection to the hypervisor {uri}: {error.get_error_message()}",
                remedy=connection_remedy(uri),
            ) from error
        self._events = EventHub(self._connection)

    @property
    def uri(self) -> str:
        """See Hypervisor."""
        uri: str = self._connection.getURI()
        return uri

    @cached_property
    def capabilities(self) -> frozenset[Capability]:
        """See Hypervisor."""
        if not self._is_qemu:
            return frozenset()
        found: set[Capability] = {RUN, CPU_MODELS, GENERATION_ID, QEMU_DEVICES, WATCHDOG}
        found |= {binding.facet for binding in self._machine_facets}
        if self._connection.getLibVersion() >= OVERRIDES_DEVICES:
            found.add(NVME)
        if self._has_tpm():
            found.add(TPM)
        for firmware, capability in (
            (Firmware.UEFI, UEFI),
            (Firmware.SECURE_BOOT, SECURE_BOOT),
        ):
            if find_firmware(firmware) is not None:
                found.add(capability)
        if self._makes_networks:
            found |= {NETWORK, HOST_PORTS}
        return frozenset(found)

    def facet(self, facet: HypervisorFacet[F]) -> F:
        """See Hypervisor."""
        return Facets(self._connection, self._connection_facets).get(facet)

    def facts(self) -> HypervisorFacts:
        """See Hypervisor."""
        with wrap_errors("reading the hypervisor's version"):
            version = _version(self._connection.getVersion())
            library = _version(self._connection.getLibVersion())
            host = fromstring(self._connection.getCapabilities())
        processor = system.processor()
        return HypervisorFacts(
            name=self._connection.getType(),
            version=version,
            extra={
                "libvirt": library,
                "kernel": system.kernel_release(),
                "cpu": processor.get("model name", ""),
                "microcode": processor.get("microcode", ""),
                "architecture": host.findtext("host/cpu/arch") or system.architecture(),
                "firmware": _package_of(find_firmware(Firmware.UEFI)),
            },
        )

    def define(self, definition: MachineDefinition) -> LibvirtMachine:
        """See Hypervisor."""
        _guard(definition.name)
        firmware = None
        if definition.firmware is not Firmware.BIOS:
            firmware = find_firmware(definition.firmware)
            if firmware is None:
                raise HypervisorError(
                    f"this host has no firmware for {definition.firmware}",
                    remedy="install OVMF (Debian: ovmf, Fedora: edk2-ovmf)",
                )
        refuse_unsupported(definition, self._connection.getLibVersion())
        self._forget(definition.name)
        with wrap_errors(f"defining {definition.name}"):
            copy = console_copy(self._connection, definition.name) if self._is_qemu else None
            domain = self._connection.defineXML(machine_xml(definition, firmware, copy))
        events = self._events.log_of(definition.name)
        lacking: set[Capability] = set()
        if definition.nvram is not None:
            lacking.add(SNAPSHOTS)  # QEMU cannot store UEFI's variables in a snapshot
        facets = [each for each in self._machine_facets if each.facet not in lacking]
        return LibvirtMachine(Domain(self._connection, domain, definition), events, facets)

    def create_network(self, definition: NetworkDefinition) -> LibvirtNetwork:
        """See Hypervisor."""
        _guard(definition.name)
        return create_network(self._connection, definition)

    def taken_subnets(self) -> Sequence[str]:
        """See Hypervisor."""
        taken = ipv4_subnets()
        with wrap_errors("listing the networks"):
            for network in self._connection.listAllNetworks():
                described: str | None = _unless_gone(network.XMLDesc)
                if described is None:
                    continue
                for ip in fromstring(described).findall("ip"):
                    if ip.get("family", "ipv4") == "ipv4":
                        length = ip.get("prefix") or ip.get("netmask", "24")
                        taken.append(f"{ip.get('address')}/{length}")
        return taken

    def owned(self) -> Sequence[Owned]:
        """See Hypervisor."""
        found = []
        with wrap_errors("listing the machines"):
            for domain in self._connection.listAllDomains():
                if domain.name().startswith(NAME_PREFIX):
                    found.append(_unless_gone(partial(_owned_machine, domain)))
        if NETWORK in self.capabilities:
            with wrap_errors("listing the networks"):
                for network in self._connection.listAllNetworks():
                    if network.name().startswith(NAME_PREFIX):
                        found.append(_unless_gone(partial(_owned_network, network)))
                # A network's filters survive a host crash, the network does not.
                filters = self._connection.listAllNWFilters()
                filtered = {network_of(each.name()) for each in filters}
                named = {owned.name for owned in found if owned is not None}
                for name in sorted(filtered - named):
                    if name.startswith(NAME_PREFIX):
                        found.append(Owned("network", name, None))
        return [owned for owned in found if owned is not None]

    def renew(self, owned: Owned) -> None:
        """See Hypervisor."""
        _guard(owned.name)
        if owned.owner is None:
            raise HypervisorError(f"renewing the lease on {owned.name}: it has none")
        with wrap_errors(f"renewing the lease on {owned.name}"):
            _unless_gone(partial(self._renew, owned.kind, owned.name, owned.owner))

    def _renew(self, kind: str, name: str, owner: Ownership) -> None:
        if kind == "machine":
            renew_domain(self._connection.lookupByName(name), owner)
        elif can_renew_networks(self._connection):
            renew_network(self._connection.networkLookupByName(name), owner)

    def remove(self, owned: Owned) -> None:
        """See Hypervisor."""
        _guard(owned.name)
        if owned.kind == "machine":
            self._forget(owned.name)
            return
        remove_network(self._connection, owned.name)

    def close(self) -> None:
        """See Hypervisor."""
        self._events.close()
        self._connection.close()

    @property
    def _is_qemu(self) -> bool:
        """Whether machines are QEMU's: those of the test driver execute nothing."""
        return bool(self._connection.getType() == "QEMU")

    @property
    def _makes_networks(self) -> bool:
        """Whether libvirtd can create bridges: a session's cannot."""
        return self.uri.endswith("/system")

    @property
    def _machine_facets(self) -> Sequence[Binding[Domain]]:
        if not self._is_qemu:
            return ()
        lacking = set() if self._makes_networks else {NIC_MOVE}
        return [binding for binding in MACHINE_FACETS if binding.facet not in lacking]

    @property
    def _connection_facets(self) -> Sequence[Binding[libvirt.virConnect]]:
        return [bind(CPU_MODELS, LibvirtCpuModels)] if self._is_qemu else ()

    def _has_tpm(self) -> bool:
        """Whether libvirt finds an emulator of TPMs (swtpm)."""
        with wrap_errors("reading the capabilities of machines"):
            document = fromstring(self._connection.getDomainCapabilities())
        models = document.findall("devices/tpm/enum[@name='backendModel']/value")
        return any(model.text == "emulator" for model in models)

    def _forget(self, name: str) -> None:
        with wrap_errors(f"looking for {name}"):
            domain = _unless_gone(partial(self._connection.lookupByName, name))
            if domain is None:
                return
            if _unless_gone(domain.isActive):
                _unless_gone(domain.destroy)
            if _unless_gone(domain.isPersistent):
                remove_domain(domain)


def _guard(name: str) -> None:
    """Refuse every name without NAME_PREFIX: guestcert does not own it."""
    if not name.startswith(NAME_PREFIX):
        raise HypervisorError(
            f"guestcert does not own {name!r}: it does not begin with {NAME_PREFIX}"
        )


def _owned_machine(domain: libvirt.virDomain) -> Owned:
    return Owned("machine", domain.name(), lease_on(domain))


def _owned_network(network: libvirt.virNetwork) -> Owned:
    return Owned("network", network.name(), lease_in(network.XMLDesc()))


def _unless_gone(act: Callable[[], T]) -> T | None:
    """The result of `act`; None where another run has removed the machine or network meanwhile."""
    try:
        return act()
    except libvirt.libvirtError as error:
        if is_missing(error):
            return None
        raise


def _version(number: int) -> str:
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"


def _package_of(build: object) -> str:
    code = getattr(build, "code", None)
    return str(code) if code else ""
