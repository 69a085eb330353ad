"""Scripts for a network adapter's policy."""

from __future__ import annotations

from typing import Any

from tests.fakes.hyperv_host.errors import invalid_argument, thrown
from tests.fakes.hyperv_host.machines import find
from tests.fakes.hyperv_host.model import HostModel, Nic, VlanModel

P = dict[str, Any]

VLANS = range(1, 4095)


def get_nic_policy(host: HostModel, p: P) -> P:
    """Get-NicPolicy."""
    nic = _nic(host, p)
    return {
        "vlan": {
            "mode": nic.vlan.mode,
            "access": nic.vlan.access,
            "native": nic.vlan.native,
            "allowed": nic.vlan.allowed,
        },
        "spoofing": nic.spoofing,
        "dhcp_guard": nic.dhcp_guard,
        "router_guard": nic.router_guard,
        "acls": [{"action": a, "direction": d, "remote": r} for a, d, r in nic.acls],
    }


def set_nic_vlan(host: HostModel, p: P) -> P:
    """Set-NicVlan: the numbers of other modes are forgotten."""
    nic, allowed = _nic(host, p), [int(each) for each in p["Allowed"].split(",") if each]
    used = {"Untagged": [], "Access": [p["Access"]], "Trunk": allowed}[p["Mode"]]
    if p["Mode"] != "Untagged" and (not used or any(number not in VLANS for number in used)):
        raise invalid_argument("SetVMNetworkAdapterVlan", "The VLAN ID is not from 1 to 4094.")
    if p["Mode"] == "Trunk" and p["Native"] not in (0, *VLANS):
        raise invalid_argument("SetVMNetworkAdapterVlan", "The native VLAN ID is not valid.")
    access = p["Access"] if p["Mode"] == "Access" else 0
    native = p["Native"] if p["Mode"] == "Trunk" else 0
    nic.vlan = VlanModel(p["Mode"], access, native, used if p["Mode"] == "Trunk" else [])
    return {}


def set_nic_guards(host: HostModel, p: P) -> P:
    """Set-NicGuards."""
    nic = _nic(host, p)
    nic.spoofing, nic.dhcp_guard, nic.router_guard = (
        p["Spoofing"],
        p["DhcpGuard"],
        p["RouterGuard"],
    )
    return {}


def set_nic_acl(host: HostModel, p: P) -> P:
    """Set-NicAcl."""
    nic, acl = _nic(host, p), (p["Action"], p["Direction"], p["Remote"])
    if p["Change"] == "Add":
        nic.acls.append(acl)
    else:
        nic.acls.remove(acl)
    return {}


def _nic(host: HostModel, p: P) -> Nic:
    machine = find(host, "GetVMNetworkAdapter", p["Name"])
    for nic in machine.nics:
        if nic.mac == p["Mac"]:
            return nic
    raise thrown(f"the machine has no network card {p['Mac']}")
