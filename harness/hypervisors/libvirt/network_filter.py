"""The nwfilter of a network: what a guest's NIC may send there."""

from __future__ import annotations

import uuid
from xml.etree import ElementTree

from harness.hypervisors.definitions import NicDefinition

NO_ADDRESS = "0.0.0.0"

SPACE = uuid.UUID("0f6a1c52-7c1e-5d0b-8a36-6a8b1b0c2f44")
"""The name space from which filters get their UUIDs."""

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
"""What a guest sends, in the order in which it is decided: action, protocol, match.

What no rule is about passes. libvirt's own clean-traffic would end IPv6. IPv6 sources are not
checked: a guest makes up its own by privacy extensions (RFC 8981).
"""


def filter_xml(name: str) -> str:
    """The filter of the network `name`, whose name it has too."""
    nwfilter = ElementTree.Element("filter", name=name, chain="root")
    # Of its name, so that one that a crashed host left behind is replaced.
    ElementTree.SubElement(nwfilter, "uuid").text = str(uuid.uuid5(SPACE, name))
    for number, (action, protocol, match) in enumerate(RULES):
        rule = ElementTree.SubElement(
            nwfilter, "rule", action=action, direction="out", priority=str(100 + number)
        )
        ElementTree.SubElement(rule, protocol, match)
    return ElementTree.tostring(nwfilter, encoding="unicode")


def add_filter(interface: ElementTree.Element, nic: NicDefinition) -> None:
    """Have a NIC filtered by its network's filter, unless it may spoof."""
    if nic.may_spoof:
        return
    reference = ElementTree.SubElement(interface, "filterref", filter=nic.network)
    # libvirt would wait for the first packet to learn an address that is not given.
    ElementTree.SubElement(reference, "parameter", name="IP", value=nic.address or NO_ADDRESS)
