"""A card's policy as libvirt's XML: its filter, its port, and what is refused."""

from __future__ import annotations

import dataclasses
import itertools
from ipaddress import ip_network

import pytest
from defusedxml.ElementTree import fromstring

from harness.errors import HypervisorError
from harness.hypervisors.definitions import NicDefinition
from harness.hypervisors.libvirt.definition import nic_xml
from harness.hypervisors.libvirt.network_filter import (
    FILTERED,
    filter_name,
    filter_xml,
    network_of,
)
from harness.hypervisors.libvirt.support import ISOLATES_PORTS, refuse_unsupported
from harness.hypervisors.nic_policy import (
    AclAction,
    AclDirection,
    Guards,
    NicPolicy,
    PortAcl,
    Vlan,
    VlanMode,
)
from tests.machines import a_machine

NETWORK = "guestcert-run.no-dhcp-1"
"""A run's id is its user's choice."""

NOTHING = Guards(mac_spoofing=False, dhcp=False, router=False)
DENY = PortAcl(AclAction.DENY, AclDirection.INBOUND, ip_network("10.0.0.0/8"))


def card(policy: NicPolicy) -> NicDefinition:
    return NicDefinition("52:54:00:00:00:0a", NETWORK, policy=policy)


def rules_of(guards: Guards) -> list[str]:
    """The filter's rules in order, without their priorities."""
    rules = fromstring(filter_xml(NETWORK, guards)).findall("rule")
    return [f"{rule.get('action')} {rule[0].tag} {rule[0].attrib}" for rule in rules]


def test_each_set_of_guards_has_a_filter_of_its_network() -> None:
    names = [filter_name(NETWORK, guards) for guards in FILTERED]
    assert len(set(names)) == len(FILTERED) == 7
    assert {network_of(name) for name in names} == {NETWORK}
    assert filter_name(NETWORK, Guards()) == NETWORK
    assert len({fromstring(filter_xml(NETWORK, g)).findtext("uuid") for g in FILTERED}) == 7


def test_a_filter_has_the_rules_of_its_guards_alone() -> None:
    alone = {
        name: rules_of(dataclasses.replace(NOTHING, **{name: True}))
        for name in ("dhcp", "router", "mac_spoofing")
    }
    assert all(alone.values())
    for states in itertools.product((True, False), repeat=3):
        guards = Guards(**dict(zip(alone, states, strict=True)))
        on = [rules for name, rules in alone.items() if getattr(guards, name)]
        # What the guard of sources accepts passes only where no other guard dropped it before.
        assert rules_of(guards) == [rule for rules in on for rule in rules]


@pytest.mark.parametrize("guards", [*FILTERED, NOTHING])
def test_a_card_has_the_filter_of_its_guards(guards: Guards) -> None:
    reference = fromstring(nic_xml(card(NicPolicy(guards=guards)))).find("filterref")
    found = None if reference is None else reference.get("filter")
    assert found == (None if guards == NOTHING else filter_name(NETWORK, guards))


@pytest.mark.parametrize("isolated", [True, False])
def test_an_isolated_card_has_an_isolated_port(isolated: bool) -> None:
    port = fromstring(nic_xml(card(NicPolicy(isolated=isolated)))).find("port")
    assert (port is not None and port.get("isolated") == "yes") is isolated


@pytest.mark.parametrize(
    ("policy", "version", "lacking"),
    [
        (NicPolicy(vlan=Vlan(VlanMode.ACCESS, access=5)), ISOLATES_PORTS, "VLANs"),
        (NicPolicy(vlan=Vlan(VlanMode.TRUNK, native=5)), ISOLATES_PORTS, "VLANs"),
        (NicPolicy(acls=frozenset({DENY})), ISOLATES_PORTS, "ACLs"),
        (NicPolicy(isolated=True), ISOLATES_PORTS - 1, "isolated network cards before"),
    ],
)
def test_what_libvirt_would_leave_out_is_refused(
    policy: NicPolicy, version: int, lacking: str
) -> None:
    definition = a_machine(nics=[card(NicPolicy()), card(policy)])
    with pytest.raises(HypervisorError, match=f"{definition.name}.*does not support {lacking}"):
        refuse_unsupported(definition, version)
