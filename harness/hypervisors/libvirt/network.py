"""A libvirt network, created and removed together with its filters and the host's rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import libvirt

from harness.errors import HypervisorError
from harness.hypervisors.capabilities import Facets, NetworkFacet, bind
from harness.hypervisors.definitions import NetworkDefinition
from harness.hypervisors.facets.host_ports import HOST_PORTS
from harness.hypervisors.leases import LEASE_TERM, UNRENEWABLE_TERM
from harness.hypervisors.libvirt.definition import network_xml
from harness.hypervisors.libvirt.errors import is_missing, wrap_errors
from harness.hypervisors.libvirt.host_rules import HostRules, remove_rules
from harness.hypervisors.libvirt.metadata import can_renew_networks
from harness.hypervisors.libvirt.network_filter import FILTERED, filter_name, filter_xml

F = TypeVar("F")

NETWORK_FACETS = (bind(HOST_PORTS, HostRules),)


class LibvirtNetwork:
    """See Network."""

    def __init__(self, connection: libvirt.virConnect, definition: NetworkDefinition) -> None:
        self._connection = connection
        self._name = definition.name
        self._facets = Facets(definition, NETWORK_FACETS)

    @property
    def name(self) -> str:
        """See Network."""
        return self._name

    def facet(self, facet: NetworkFacet[F]) -> F:
        """See Network."""
        return self._facets.get(facet)

    def leases(self) -> Mapping[str, str]:
        """See Network."""
        with wrap_errors(f"reading the leases of {self.name}"):
            return {
                lease["mac"]: lease["ipaddr"]
                for lease in self._connection.networkLookupByName(self.name).DHCPLeases()
                if lease["type"] == libvirt.VIR_IP_ADDR_TYPE_IPV4
            }

    def remove(self) -> None:
        """See Network."""
        remove_network(self._connection, self.name)


def create_network(connection: libvirt.virConnect, definition: NetworkDefinition) -> LibvirtNetwork:
    """Create and start a network, and close the host to its guests.

    Raises HypervisorError where a part of it fails; everything is then removed again.
    """
    network = LibvirtNetwork(connection, definition)
    try:
        with wrap_errors(f"creating the network {definition.name}"):
            for guards in FILTERED:
                connection.nwfilterDefineXML(filter_xml(definition.name, guards))
            # Transient: no file of it survives a host crash.
            term = LEASE_TERM if can_renew_networks(connection) else UNRENEWABLE_TERM
            connection.networkCreateXML(network_xml(definition, term))
        network.facet(HOST_PORTS).open([])
    except HypervisorError:
        network.remove()
        raise
    return network


def remove_network(connection: libvirt.virConnect, name: str) -> None:
    """Remove a network with its filters and the host's rules (idempotent)."""
    with wrap_errors(f"removing the network {name}"):
        if network := _found(connection.networkLookupByName, name):
            bridge = network.bridgeName()
            _unless_missing(network.destroy)
            _unless_missing(network.undefine)  # exists only where it was persistent
            remove_rules(bridge)
        for guards in FILTERED:
            if nwfilter := _found(connection.nwfilterLookupByName, filter_name(name, guards)):
                _unless_missing(nwfilter.undefine)


def _found(look_up: Callable[[str], Any], name: str) -> Any:
    try:
        return look_up(name)
    except libvirt.libvirtError as error:
        if is_missing(error):
            return None
        raise


def _unless_missing(remove: Callable[[], object]) -> None:
    """Remove it; another process may have removed it since the lookup."""
    try:
        remove()
    except libvirt.libvirtError as error:
        if not is_missing(error):
            raise
