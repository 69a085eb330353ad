"""Script calls that give a machine a network card and its policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.errors import HypervisorError
from harness.hypervisors.definitions import NicDefinition
from harness.hypervisors.hyperv.remoting import ScriptCall, Value
from harness.hypervisors.nic_policy import Guards, PortAcl, Vlan


def nic_calls(name: str, nic: NicDefinition, *, legacy: bool) -> Iterator[ScriptCall]:
    """The script calls that add a NIC to the machine `name`, in order.

    In generation 1 only a `legacy` card boots from the network. Raises HypervisorError for an
    isolated card: with Hyper-V's private VLANs it would not reach cards without a VLAN either.
    """
    policy = nic.policy
    if policy.isolated:
        raise HypervisorError(
            f"adding {nic.mac} to {name}: Hyper-V does not support isolated network cards"
        )
    yield ScriptCall(
        "Add-Nic",
        {
            "Name": name,
            "Nic": nic.mac,
            "Mac": hyperv_mac(nic.mac),
            "Network": nic.network,
            "Legacy": legacy,
            **guard_parameters(policy.guards),
        },
    )
    if policy.vlan != Vlan():
        yield vlan_call(name, nic.mac, policy.vlan)
    for acl in sorted(policy.acls, key=str):
        yield acl_call(name, nic.mac, "Add", acl)


def hyperv_mac(mac: str) -> str:
    """A MAC address in Hyper-V's notation."""
    return mac.replace(":", "").upper()


def guard_parameters(guards: Guards) -> Mapping[str, Value]:
    """Hyper-V's switches of the guards; it switches on the spoofing, not the guard."""
    return {
        "Spoofing": _on(not guards.mac_spoofing),
        "DhcpGuard": _on(guards.dhcp),
        "RouterGuard": _on(guards.router),
    }


def vlan_call(name: str, mac: str, vlan: Vlan) -> ScriptCall:
    """The script call that replaces a card's VLANs."""
    return ScriptCall(
        "Set-NicVlan",
        {
            "Name": name,
            "Mac": hyperv_mac(mac),
            "Mode": vlan.mode.title(),
            "Access": vlan.access,
            "Native": vlan.native,
            "Allowed": ",".join(map(str, sorted(vlan.allowed))) or None,
        },
    )


def acl_call(name: str, mac: str, change: str, acl: PortAcl) -> ScriptCall:
    """The script call that adds an ACL to a card or removes it; `change` is Add or Remove."""
    return ScriptCall(
        "Set-NicAcl",
        {
            "Name": name,
            "Mac": hyperv_mac(mac),
            "Change": change,
            "Action": acl.action.title(),
            "Direction": acl.direction.title(),
            "Remote": str(acl.remote),
        },
    )


def _on(state: bool) -> str:
    return "On" if state else "Off"
