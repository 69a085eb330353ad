"""The network policy of Hyper-V's network adapters."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

from harness.errors import HypervisorError
from harness.hypervisors.facets.network_policy import (
    AclAction,
    AclDirection,
    Guards,
    NicPolicy,
    PortAcl,
    Vlan,
    VlanMode,
)
from harness.hypervisors.hyperv.definition import hyperv_mac
from harness.hypervisors.hyperv.host_machine import HostMachine
from harness.hypervisors.hyperv.remoting import Value


class HypervNetworkPolicy:
    """See NetworkPolicy."""

    def __init__(self, machine: HostMachine) -> None:
        self._machine = machine

    def read(self, mac: str) -> NicPolicy:
        """See NetworkPolicy. Raises HypervisorError for unsupported kinds of VLANs and ACLs."""
        doing = f"reading the network policy of {mac} of {self._machine.name}"
        answer = self._do("Get-NicPolicy", doing, mac)
        try:
            return NicPolicy(
                _vlan(answer["vlan"]), _guards(answer), frozenset(map(_acl, answer["acls"]))
            )
        except ValueError as error:
            raise HypervisorError(f"{doing}: guestcert did not set it: {error}") from error

    def set_vlan(self, mac: str, vlan: Vlan) -> None:
        """See NetworkPolicy."""
        self._do(
            "Set-NicVlan",
            f"setting the VLANs of {mac} of {self._machine.name}",
            mac,
            Mode=vlan.mode.title(),
            Access=vlan.access,
            Native=vlan.native,
            Allowed=",".join(map(str, sorted(vlan.allowed))) or None,
        )

    def set_guards(self, mac: str, guards: Guards) -> None:
        """See NetworkPolicy."""
        self._do(
            "Set-NicGuards",
            f"setting the guards of {mac} of {self._machine.name}",
            mac,
            Spoofing=_on(not guards.mac_spoofing),
            DhcpGuard=_on(guards.dhcp),
            RouterGuard=_on(guards.router),
        )

    def add_acl(self, mac: str, acl: PortAcl) -> None:
        """See NetworkPolicy."""
        if acl not in self.read(mac).acls:
            self._change_acl("Add", f"adding an ACL to {mac} of {self._machine.name}", mac, acl)

    def remove_acl(self, mac: str, acl: PortAcl) -> None:
        """See NetworkPolicy."""
        if acl in self.read(mac).acls:
            self._change_acl(
                "Remove", f"removing an ACL from {mac} of {self._machine.name}", mac, acl
            )

    def _change_acl(self, change: str, doing: str, mac: str, acl: PortAcl) -> None:
        self._do(
            "Set-NicAcl",
            doing,
            mac,
            Change=change,
            Action=acl.action.title(),
            Direction=acl.direction.title(),
            Remote=str(acl.remote),
        )

    def _do(self, script: str, doing: str, mac: str, **parameters: Value) -> dict[str, Any]:
        machine = self._machine
        return machine.run(script, doing, Name=machine.name, Mac=hyperv_mac(mac), **parameters)


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


def _on(state: bool) -> str:
    return "On" if state else "Off"
