"""The network policy of a machine's cards, on a scripted Hyper-V host."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest

from harness.errors import HypervisorError
from harness.hypervisors.definitions import NicDefinition
from harness.hypervisors.facets.network_policy import NETWORK_POLICY, NetworkPolicy
from harness.hypervisors.hyperv.connection import HypervHypervisor
from harness.hypervisors.hyperv.errors import HostRefusalError
from harness.hypervisors.hyperv.machine import HypervMachine
from harness.hypervisors.nic_policy import (
    AclAction,
    AclDirection,
    Guards,
    PortAcl,
    Vlan,
    VlanMode,
)
from tests.fakes.hyperv_host.model import HostModel
from tests.machines import a_machine, a_network

MAC, OTHER, ABSENT = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"

RULES = [
    PortAcl(AclAction.DENY, AclDirection.OUTBOUND, ip_network("0.0.0.0/0")),
    PortAcl(AclAction.ALLOW, AclDirection.OUTBOUND, ip_network("10.217.0.7")),
    PortAcl(AclAction.DENY, AclDirection.INBOUND, ip_network("fd00::/64")),
]


@pytest.fixture
def machine(hypervisor: HypervHypervisor) -> HypervMachine:
    """A machine that is off, with two network cards."""
    network = hypervisor.create_network(a_network())
    nics = [NicDefinition(mac, network.name) for mac in (MAC, OTHER)]
    return hypervisor.define(a_machine(nics=nics))


@pytest.fixture
def policy(machine: HypervMachine) -> NetworkPolicy:
    return machine.facet(NETWORK_POLICY)


@pytest.mark.parametrize(
    "vlan",
    [
        Vlan(VlanMode.ACCESS, access=1),
        Vlan(VlanMode.ACCESS, access=4094),
        Vlan(VlanMode.TRUNK, native=10, allowed=frozenset({20, 30})),
        Vlan(VlanMode.TRUNK, allowed=frozenset({7})),
    ],
)
def test_a_card_is_put_into_vlans_alone_and_taken_out(policy: NetworkPolicy, vlan: Vlan) -> None:
    assert policy.read(MAC).vlan == Vlan()
    policy.set_vlan(MAC, vlan)
    assert policy.read(MAC).vlan == vlan
    assert policy.read(OTHER).vlan == Vlan()
    policy.set_vlan(MAC, Vlan())
    assert policy.read(MAC).vlan == Vlan()


@pytest.mark.parametrize(
    "vlan",
    [
        Vlan(VlanMode.ACCESS),
        Vlan(VlanMode.ACCESS, access=4095),
        Vlan(VlanMode.TRUNK, native=4095, allowed=frozenset({1})),
        Vlan(VlanMode.TRUNK, native=1),
    ],
)
def test_the_host_refuses_vlans_that_there_are_not(policy: NetworkPolicy, vlan: Vlan) -> None:
    with pytest.raises(HostRefusalError, match=f"setting the VLANs of {MAC} .*InvalidParameter"):
        policy.set_vlan(MAC, vlan)
    assert policy.read(MAC).vlan == Vlan()


def test_each_guard_is_switched_alone(policy: NetworkPolicy) -> None:
    nothing = Guards(mac_spoofing=False, dhcp=False, router=False)
    every = Guards(mac_spoofing=True, dhcp=True, router=True)
    assert policy.read(MAC).guards == every, "as a NIC is made"
    for name in ("mac_spoofing", "dhcp", "router"):
        guards = replace(nothing, **{name: True})
        policy.set_guards(MAC, guards)
        assert policy.read(MAC).guards == guards
        assert policy.read(OTHER).guards == every


def test_rules_are_given_once_and_taken_away(policy: NetworkPolicy, host: HostModel) -> None:
    for rule in [*RULES, RULES[0]]:
        policy.add_acl(MAC, rule)
    assert policy.read(MAC).acls == set(RULES)
    assert len(host.machines["guestcert-run-guest"].nics[0].acls) == len(RULES)
    assert policy.read(OTHER).acls == frozenset()
    for _ in range(2):
        policy.remove_acl(MAC, RULES[0])
        assert policy.read(MAC).acls == set(RULES[1:])


def test_a_running_machine_has_its_policy_changed_too(
    policy: NetworkPolicy, machine: HypervMachine
) -> None:
    machine.start()
    policy.set_vlan(MAC, Vlan(VlanMode.ACCESS, access=5))
    policy.add_acl(MAC, RULES[0])
    found = policy.read(MAC)
    assert (found.vlan.access, found.acls) == (5, frozenset({RULES[0]}))


def test_what_somebody_else_has_set_is_not_taken_for_ours(
    policy: NetworkPolicy, host: HostModel
) -> None:
    host.machines["guestcert-run-guest"].nics[0].acls.append(("Deny", "Inbound", "ANY"))
    with pytest.raises(HypervisorError, match="guestcert did not set it"):
        policy.read(MAC)


def test_a_card_that_is_not_there_has_no_policy(policy: NetworkPolicy) -> None:
    with pytest.raises(HostRefusalError, match="no network card 02000000000C"):
        policy.read(ABSENT)
    with pytest.raises(HostRefusalError, match="no network card"):
        policy.set_vlan(ABSENT, Vlan())
    with pytest.raises(HostRefusalError, match="no network card"):
        policy.set_guards(ABSENT, Guards(mac_spoofing=True, dhcp=True, router=True))


def test_a_user_without_rights_sees_no_policy(policy: NetworkPolicy, host: HostModel) -> None:
    host.administrator = False
    with pytest.raises(HostRefusalError, match="0x80070005") as caught:
        policy.read(MAC)
    assert "Hyper-V Administrators" in str(caught.value.remedy)
