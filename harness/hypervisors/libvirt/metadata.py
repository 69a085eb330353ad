"""Leases in the metadata of libvirt's machines and networks."""

from __future__ import annotations

from xml.etree import ElementTree

import libvirt
from defusedxml.ElementTree import fromstring

from harness.hypervisors.definitions import Ownership
from harness.hypervisors.leases import Lease, decode_lease, encode_lease, lease_for

NAMESPACE = "https://guestcert.example/machine/1"
PREFIX = "guestcert"
LEASE = "lease"

CURRENT_STATE = 0
"""Flag: change a running network in its running state."""

CHANGES_NETWORK_METADATA = 9_007_000
"""The first version of libvirt that can change a network's metadata: 9.7."""

ElementTree.register_namespace(PREFIX, NAMESPACE)


def add_lease(parent: ElementTree.Element, lease: Lease) -> None:
    """Add a lease to the metadata in the XML of a machine or network."""
    metadata = ElementTree.SubElement(parent, "metadata")
    ElementTree.SubElement(metadata, f"{{{NAMESPACE}}}{LEASE}").text = encode_lease(lease)


def lease_in(xml: str) -> Lease | None:
    """The lease in the XML of a machine or network; None where it has no readable lease."""
    element = fromstring(xml).find(f"metadata/{{{NAMESPACE}}}{LEASE}")
    return decode_lease(element.text) if element is not None else None


def lease_on(domain: libvirt.virDomain) -> Lease | None:
    """The lease on a machine, from its stored definition.

    A running machine's definition may come from a saved state.
    """
    return lease_in(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))


def renew_domain(domain: libvirt.virDomain, owner: Ownership) -> None:
    """Renew the lease on a machine."""
    domain.setMetadata(
        libvirt.VIR_DOMAIN_METADATA_ELEMENT,
        _xml(owner),
        PREFIX,
        NAMESPACE,
        libvirt.VIR_DOMAIN_AFFECT_CONFIG,
    )


def renew_network(network: libvirt.virNetwork, owner: Ownership) -> None:
    """Renew the lease on a network; needs libvirt 9.7."""
    network.setMetadata(
        libvirt.VIR_NETWORK_METADATA_ELEMENT, _xml(owner), PREFIX, NAMESPACE, CURRENT_STATE
    )


def can_renew_networks(connection: libvirt.virConnect) -> bool:
    """Whether libvirt's daemon and Python binding can change a network's metadata."""
    supported = hasattr(libvirt.virNetwork, "setMetadata")
    return supported and connection.getLibVersion() >= CHANGES_NETWORK_METADATA


def _xml(owner: Ownership) -> str:
    """The element that libvirt stores in guestcert's namespace."""
    element = ElementTree.Element(LEASE)
    element.text = encode_lease(lease_for(owner))
    return ElementTree.tostring(element, encoding="unicode")
