"""The network policy of Hyper-V's network adapters."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

from harness.errors import HypervisorError
from harness.hypervisors.hyperv.host_machine import HostMachine
from harness.hypervisors.hyperv.nic_calls import (
    acl_call,
    guard_parameters,
    hyperv_mac,
    vlan_call,
)
from harness.hypervisors.hyperv.remoting import ScriptCall
from harness.hypervisors.nic_policy import (
    AclAction,
    AclDirection,
    Guards,
    NicPolicy,
    PortAcl,
    Vlan,
    VlanMode,
)


class HypervNetworkPolicy:
    """See NetworkPolicy."""

    def __init__(self, machine: HostMachine) -> None:
        self._machine = machine

    def read(self, mac: str) -> NicPolicy:
        """See NetworkPolicy. Raises HypervisorError for unsupported kinds of VLANs and ACLs."""
        name = self._machine.name
        doing = f"reading the network policy of {mac} of {name}"
        call = ScriptCall("Get-NicPolicy", {"Name": name, "Mac": hyperv_mac(mac)})
        answer = self._do(doing, call)
        try:
            return NicPolicy(
                guards=_guards(answer),
                vlan=_vlan(answer["vlan"]),
                acls=frozenset(map(_acl, answer["acls"])),
            )
        except ValueError as error:
            raise HypervisorError(f"{doing}: guestcert did not set it: {error}") from error

    def set_vlan(self, mac: str, vlan: Vlan) -> None:
        """See NetworkPolicy."""
        name = self._machine.name
        self._do(f"setting the VLANs of {mac} of {name}", vlan_call(name, mac, vlan))

    def set_guards(self, mac: str, guards: Guards) -> None:
        """See NetworkPolicy."""
        name = self._machine.name
        parameters = {"Name": name, "Mac": hyperv_mac(mac), **guard_parameters(guards)}
        doing = f"setting the guards of {mac} of {name}"
        self._do(doing, ScriptCall("Set-NicGuards", parameters))

    def add_acl(self, mac: str, acl: PortAcl) -> None:
        """See NetworkPolicy."""
        name = self._machine.name
        if acl not in self.read(mac).acls:
            self._do(f"adding an ACL to {mac} of {name}", acl_call(name, mac, "Add", acl))

    def remove_acl(self, mac: str, acl: PortAcl) -> None:
        """See NetworkPolicy."""
        name = self._machine.name
        if acl in self.read(mac).acls:
            self._do(f"removing an ACL from {mac} of {name}", acl_call(name, mac, "Remove", acl))

    def _do(self, doing: str, call: ScriptCall) -> dict[str, Any]:
        return self._machine.run(call.script, doing, **call.parameters)


def _vlan(reported: Mapping[str, Any]) -> Vlan:
    mode = VlanMode(str(reported["mode"]).lower())
    if mode is VlanMode.ACCESS:
        return Vlan(mode, access=int(reported["access"]))
    if mode is VlanMode.TRUNK:
        allowed = frozenset(map(int, reported["allowed"]))
        return Vlan(mode, native=int(reported["native"]), allowed=allowed)
    return Vlan(mode)


def _guards(reported: Mapping[str, Any]) -> Guards:
    return Guards(
        mac_spoofing=reported["spoofing"] == "Off",
        dhcp=reported["dhcp_guard"] == "On",
        router=reported["router_guard"] == "On",
    )


def _acl(reported: Mapping[str, Any]) -> PortAcl:
    return PortAcl(
        AclAction(reported["action"].lower()),
        AclDirection(reported["direction"].lower()),
        ip_network(reported["remote"]),
    )
