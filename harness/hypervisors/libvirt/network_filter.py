"""The nwfilter of a network: the frames that a guest's NIC may send there."""

from __future__ import annotations

import uuid
from xml.etree import ElementTree

from harness.hypervisors.definitions import NicDefinition

NO_ADDRESS = "0.0.0.0"

SPACE = uuid.UUID("0f6a1c52-7c1e-5d0b-8a36-6a8b1b0c2f44")
"""Namespace of the filters' UUIDs."""

DHCP_SERVER, DHCPV6_SERVER = "67", "547"
ROUTER_ADVERTISEMENT = "134"

RULES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("drop", "mac", {"match": "no", "srcmacaddr": "$MAC"}),
    ("drop", "arp", {"match": "no", "arpsrcmacaddr": "$MAC"}),
    ("accept", "arp", {"arpsrcipaddr": "$IP"}),
    ("accept", "arp", {"arpsrcipaddr": NO_ADDRESS}),  # probes before an address is used
    ("drop", "arp", {}),
    ("drop", "ip", {"protocol": "udp", "srcportstart": DHCP_SERVER}),
    ("accept", "ip", {"srcipaddr": "$IP"}),
    (
        "accept",
        "ip",
        {"srcipaddr": NO_ADDRESS, "protocol": "udp", "dstportstart": DHCP_SERVER},
    ),
    ("drop", "ip", {}),
    ("drop", "ipv6", {"protocol": "icmpv6", "type": ROUTER_ADVERTISEMENT}),
    ("drop", "ipv6", {"protocol": "udp", "srcportstart": DHCPV6_SERVER}),
)
"""Rules for a guest's frames in order of evaluation: action, protocol, match.

Frames that match no rule pass. libvirt's clean-traffic would block IPv6. IPv6 sources are not
checked: a guest generates its own by privacy extensions (RFC 8981).
"""


def filter_xml(name: str) -> str:
    """The XML of the filter of the network `name`; the filter has the same name."""
    nwfilter = ElementTree.Element("filter", name=name, chain="root")
    # Derived from the name, so that it replaces a filter that survived a host crash.
    ElementTree.SubElement(nwfilter, "uuid").text = str(uuid.uuid5(SPACE, name))
    for number, (action, protocol, match) in enumerate(RULES):
        rule = ElementTree.SubElement(
            nwfilter, "rule", action=action, direction="out", priority=str(100 + number)
        )
        ElementTree.SubElement(rule, protocol, match)
    return ElementTree.tostring(nwfilter, encoding="unicode")


def add_filter(interface: ElementTree.Element, nic: NicDefinition) -> None:
    """Apply its network's filter to a NIC, unless it may spoof."""
    if nic.may_spoof:
        return
    reference = ElementTree.SubElement(interface, "filterref", filter=nic.network)
    # Without an address libvirt would wait for the first packet to learn one.
    ElementTree.SubElement(reference, "parameter", name="IP", value=nic.address or NO_ADDRESS)
