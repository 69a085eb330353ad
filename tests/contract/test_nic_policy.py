"""The contract of a network card's policy: a driver enforces each part or refuses it."""

from __future__ import annotations

import dataclasses
from ipaddress import ip_network

from defusedxml.ElementTree import fromstring

from harness.errors import HypervisorError
from harness.hypervisors.base import Machine
from harness.hypervisors.capabilities import NETWORK
from harness.hypervisors.definitions import NicDefinition
from harness.hypervisors.facets.network_policy import NETWORK_POLICY
from harness.hypervisors.libvirt.network_filter import FILTERED, filter_name
from harness.hypervisors.nic_policy import (
    AclAction,
    AclDirection,
    Guards,
    NicPolicy,
    PortAcl,
    Vlan,
    VlanMode,
)
from tests.contract.conftest import RUN, Subject
from tests.machines import a_network

MAC = "52:54:00:00:63:0a"
NETWORK_OF_CARDS = a_network(
    name=f"guestcert-{RUN}-cards",
    bridge="gcbcards",
    gateway="10.216.250.1",
    dhcp_start="10.216.250.16",
    dhcp_end="10.216.250.240",
    gateway_v6="fd16:250::1",
)

NO_GUARDS = Guards(mac_spoofing=False, dhcp=False, router=False)
ACCESS = Vlan(VlanMode.ACCESS, access=5)
ACLS = frozenset(
    {
        PortAcl(AclAction.DENY, AclDirection.OUTBOUND, ip_network("0.0.0.0/0")),
        PortAcl(AclAction.ALLOW, AclDirection.INBOUND, ip_network("fd00::/64")),
    }
)

ALWAYS_ENFORCED = (
    NicPolicy(),
    NicPolicy(guards=Guards(mac_spoofing=False)),
    NicPolicy(guards=Guards(dhcp=False)),
    NicPolicy(guards=Guards(router=False)),
    NicPolicy(guards=NO_GUARDS),
)
REFUSED_AS = {
    NicPolicy(vlan=ACCESS): "VLANs",
    NicPolicy(vlan=Vlan(VlanMode.TRUNK, native=7, allowed=frozenset({8, 9}))): "VLANs",
    NicPolicy(acls=ACLS): "ACLs",
    NicPolicy(isolated=True): "isolated network cards",
    NicPolicy(guards=NO_GUARDS, vlan=ACCESS, acls=ACLS): "VLANs",
}
"""Policies that a driver may refuse, and its word for what it does not support."""


def enforced_on(machine: Machine) -> NicPolicy | None:
    """The policy of the machine's only card, as its hypervisor has it."""
    if NETWORK_POLICY in machine.facets:
        return machine.facet(NETWORK_POLICY).read(MAC)
    description = machine.description()
    if description.startswith("<fake"):
        known = [policy for policy in (*ALWAYS_ENFORCED, *REFUSED_AS) if str(policy) in description]
        return known[0] if known else None
    (card,) = fromstring(description).findall("devices/interface")
    names = [reference.attrib["filter"] for reference in card.findall("filterref")]
    by_name = {filter_name(NETWORK_OF_CARDS.name, guards): guards for guards in FILTERED}
    ports = [port.attrib for port in card.findall("port")]
    guards = by_name[names[0]] if names else NO_GUARDS
    return NicPolicy(guards=guards, isolated=ports == [{"isolated": "yes"}])


def defined(subject: Subject, policy: NicPolicy) -> Machine:
    card = NicDefinition(MAC, NETWORK_OF_CARDS.name, policy=policy)
    return subject.hypervisor.define(dataclasses.replace(subject.definition, nics=(card,)))


def test_a_card_s_policy_is_enforced_or_refused(subject: Subject) -> None:
    if NETWORK in subject.hypervisor.capabilities:
        subject.hypervisor.create_network(NETWORK_OF_CARDS)
    for policy in ALWAYS_ENFORCED:
        assert enforced_on(defined(subject, policy)) == policy
    for policy, word in REFUSED_AS.items():
        try:
            machine = defined(subject, policy)
        except HypervisorError as refusal:
            assert f"does not support {word}" in str(refusal)
        else:
            assert enforced_on(machine) == policy
