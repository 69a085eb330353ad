"""The nwfilters of a network: the frames that a guest's NIC may send there, by its guards."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import fields
from xml.etree import ElementTree

from harness.hypervisors.definitions import NicDefinition
from harness.hypervisors.nic_policy import Guards

NO_ADDRESS = "0.0.0.0"

SPACE = uuid.UUID("0f6a1c52-7c1e-5d0b-8a36-6a8b1b0c2f44")
"""Namespace of the filters' UUIDs."""

DHCP_SERVER, DHCPV6_SERVER = "67", "547"
ROUTER_ADVERTISEMENT, REDIRECT = "134", "137"

Rule = tuple[str, str, dict[str, str]]
"""Action, protocol, match."""

DHCP_RULES: tuple[Rule, ...] = (
    ("drop", "ip", {"protocol": "udp", "srcportstart": DHCP_SERVER}),
    ("drop", "ipv6", {"protocol": "udp", "srcportstart": DHCPV6_SERVER}),
)
ROUTER_RULES: tuple[Rule, ...] = (
    ("drop", "ipv6", {"protocol": "icmpv6", "type": ROUTER_ADVERTISEMENT}),
    ("drop", "ipv6", {"protocol": "icmpv6", "type": REDIRECT}),
)
SOURCE_RULES: tuple[Rule, ...] = (
    ("drop", "mac", {"match": "no", "srcmacaddr": "$MAC"}),
    ("drop", "arp", {"match": "no", "arpsrcmacaddr": "$MAC"}),
    ("accept", "arp", {"arpsrcipaddr": "$IP"}),
    ("accept", "arp", {"arpsrcipaddr": NO_ADDRESS}),  # probes before an address is used
    ("drop", "arp", {}),
    ("accept", "ip", {"srcipaddr": "$IP"}),
    (
        "accept",
        "ip",
        {"srcipaddr": NO_ADDRESS, "protocol": "udp", "dstportstart": DHCP_SERVER},
    ),
    ("drop", "ip", {}),
)
"""Rules of each guard, in order of evaluation. Those that accept come last, after every guard's.

Frames that match no rule pass. libvirt's clean-traffic would block IPv6. IPv6 sources are not
checked: a guest generates its own by privacy extensions (RFC 8981).
"""

FILTERED = tuple(
    Guards(mac_spoofing=mac, dhcp=dhcp, router=router)
    for mac, dhcp, router in itertools.product((True, False), repeat=3)
    if mac or dhcp or router
)
"""The guards that need a filter: a card without any has none, and a card has at most one."""


def filter_name(network: str, guards: Guards) -> str:
    """The name of a network's filter for these guards; with all of them it is the network's."""
    return network + _suffix(guards)


def network_of(name: str) -> str:
    """The network whose filter has this name."""
    for suffix in filter(None, map(_suffix, FILTERED)):
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name


def filter_xml(network: str, guards: Guards) -> str:
    """The XML of a network's filter for these guards."""
    name = filter_name(network, guards)
    nwfilter = ElementTree.Element("filter", name=name, chain="root")
    # Derived from the name, so that it replaces a filter that survived a host crash.
    ElementTree.SubElement(nwfilter, "uuid").text = str(uuid.uuid5(SPACE, name))
    for number, (action, protocol, match) in enumerate(_rules(guards)):
        rule = ElementTree.SubElement(
            nwfilter, "rule", action=action, direction="out", priority=str(100 + number)
        )
        ElementTree.SubElement(rule, protocol, match)
    return ElementTree.tostring(nwfilter, encoding="unicode")


def add_filter(interface: ElementTree.Element, nic: NicDefinition) -> None:
    """Apply its network's filter for its guards to a NIC, where any is on."""
    if nic.policy.guards not in FILTERED:
        return
    name = filter_name(nic.network, nic.policy.guards)
    reference = ElementTree.SubElement(interface, "filterref", filter=name)
    # Without an address libvirt would wait for the first packet to learn one.
    ElementTree.SubElement(reference, "parameter", name="IP", value=nic.address or NO_ADDRESS)


def _suffix(guards: Guards) -> str:
    """The guards that are off; no suffix ends with another, and no network's name has one."""
    off = [each.name for each in fields(guards) if not getattr(guards, each.name)]
    return f".no-{'-'.join(off)}" if off else ""


def _rules(guards: Guards) -> Iterator[Rule]:
    if guards.dhcp:
        yield from DHCP_RULES
    if guards.router:
        yield from ROUTER_RULES
    if guards.mac_spoofing:
        yield from SOURCE_RULES
