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

AS_IT_IS = 0
"""A network that runs is changed as it runs."""

CHANGES_NETWORK_METADATA = 9_007_000
"""The version of libvirt from which on the metadata of a network can be changed: 9.7."""

ElementTree.register_namespace(PREFIX, NAMESPACE)


def add_lease(parent: ElementTree.Element, lease: Lease) -> None:
    """Put the lease into the metadata of a machine or network that is being described."""
    metadata = ElementTree.SubElement(parent, "metadata")
    ElementTree.SubElement(metadata, f"{{{NAMESPACE}}}{LEASE}").text = encode_lease(lease)


def lease_in(xml: str) -> Lease | None:
    """The lease on what the XML describes; None where it has none that can be read."""
    element = fromstring(xml).find(f"metadata/{{{NAMESPACE}}}{LEASE}")
    return decode_lease(element.text) if element is not None else None


def lease_on(domain: libvirt.virDomain) -> Lease | None:
    """The lease on a machine.

    Its stored definition has it: that of a running one may have come out of a saved state.
    """
    return lease_in(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))


def renew_domain(domain: libvirt.virDomain, owner: Ownership) -> None:
    """Write a fresh lease on a machine."""
    domain.setMetadata(
        libvirt.VIR_DOMAIN_METADATA_ELEMENT,
        _xml(owner),
        PREFIX,
        NAMESPACE,
        libvirt.VIR_DOMAIN_AFFECT_CONFIG,
    )


def renew_network(network: libvirt.virNetwork, owner: Ownership) -> None:
    """Write a fresh lease on a network, where libvirt can (9.7)."""
    network.setMetadata(
        libvirt.VIR_NETWORK_METADATA_ELEMENT, _xml(owner), PREFIX, NAMESPACE, AS_IT_IS
    )


def can_renew_networks(connection: libvirt.virConnect) -> bool:
    """Whether libvirt, its daemon and its Python binding, can change a network's metadata."""
    known = hasattr(libvirt.virNetwork, "setMetadata")
    return known and connection.getLibVersion() >= CHANGES_NETWORK_METADATA


def _xml(owner: Ownership) -> str:
    """What libvirt puts into our namespace by itself."""
    element = ElementTree.Element(LEASE)
    element.text = encode_lease(lease_for(owner))
    return ElementTree.tostring(element, encoding="unicode")
