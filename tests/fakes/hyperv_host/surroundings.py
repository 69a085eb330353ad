"""Scripts for the host, its files, its networks and its log."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from tests.fakes.hyperv_host.errors import (
    access_denied,
    disk_full,
    log_denied,
    path_not_found,
    thrown,
)
from tests.fakes.hyperv_host.machines import every
from tests.fakes.hyperv_host.model import HostModel, Switch

P = dict[str, Any]

LONGEST_MILLISECONDS = 200


def get_host_state(host: HostModel, _: P) -> P:
    """Get-HostState."""
    return {
        "name": host.name,
        "system": "Microsoft Windows Server, as modelled for tests",
        "build": host.build,
        "powershell": "5.1.20348.2849",
        "processor": "a modelled processor",
        "architecture": "64-bit",
        "hypervisor": False,
        "module": host.module,
        "service": host.service if host.administrator else "Hidden",
        "user": "HOST\\guestcert",
        "administrator": host.administrator,
        "servers": list(host.servers) if host.administrator else [],
    }


def get_host_facts(host: HostModel, _: P) -> P:
    """Get-HostFacts."""
    if not host.administrator:
        raise access_denied("GetVMHost")
    return {
        "folder": host.folder,
        "free_bytes": host.free_bytes,
        "memory_bytes": host.memory_mib * 1024 * 1024,
        "processors": 16,
        "switches": [{"name": s.name, "kind": s.kind} for s in host.switches.values()],
    }


def get_file_length(host: HostModel, p: P) -> P:
    """Get-FileLength."""
    return {"length": len(host.files[p["Path"]]) if p["Path"] in host.files else -1}


def add_file_part(host: HostModel, p: P) -> P:
    """Add-FilePart."""
    data = base64.b64decode(p["Data"]) + bytes(p["Zeros"])
    if len(data) > host.free_bytes:
        raise disk_full(p["Path"])
    file = host.files.setdefault(p["Path"], bytearray())
    if len(file) != p["Offset"]:
        message = f"the file ends at {len(file)}, not at {p['Offset']}: another process uploads it"
        raise thrown(message)
    file += data
    host.free_bytes -= len(data)
    return {"length": len(file)}


def complete_file(host: HostModel, p: P) -> P:
    """Complete-File."""
    if p["Path"] not in host.files:
        raise path_not_found(p["Path"])
    content = host.files.pop(p["Path"])
    found = hashlib.sha256(content).hexdigest().upper()
    if found != p["Digest"]:
        raise thrown(f"the file arrived with the digest {found}, and not with {p['Digest']}")
    host.files[p["Target"]] = content
    return {}


def new_folder(host: HostModel, p: P) -> P:
    """New-Folder."""
    host.folders[p["Folder"]] = p["Notes"]
    return {}


def set_folder_notes(host: HostModel, p: P) -> P:
    """Set-FolderNotes."""
    if p["Folder"] in host.folders:
        host.folders[p["Folder"]] = p["Notes"]
    return {}


def set_network_notes(host: HostModel, p: P) -> P:
    """Set-NetworkNotes."""
    if p["Name"] in host.switches:
        host.switches[p["Name"]].notes = p["Notes"]
    return {}


def get_folders(host: HostModel, p: P) -> P:
    """Get-Folders."""
    found = [
        {"name": folder.rpartition("\\")[2], "notes": notes}
        for folder, notes in host.folders.items()
        if folder.rpartition("\\")[0] == p["Folder"]
    ]
    return {"folders": found}


def remove_folder(host: HostModel, p: P) -> P:
    """Remove-Folder."""
    host.folders.pop(p["Folder"], None)
    host.states.pop(p["Folder"], None)
    for path in [path for path in host.files if path.startswith(p["Folder"] + "\\")]:
        del host.files[path]
    return {}


def new_network(host: HostModel, p: P) -> P:
    """New-Network: a second switch of the same name has an ambiguous address."""
    if p["Name"] in host.switches:
        raise thrown(f"Inconsistent parameters PolicyStore PersistentStore: {p['Name']} twice")
    address = f"{p['Gateway']}/{p['Prefix']}"
    host.switches[p["Name"]] = Switch(p["Name"], "Internal", p["Notes"], address)
    return {}


def get_networks(host: HostModel, p: P) -> P:
    """Get-Networks."""
    found = [
        {"name": switch.name, "notes": switch.notes}
        for switch in host.switches.values()
        if switch.name.startswith(p["Prefix"])
    ]
    return {"networks": found}


def get_subnets(host: HostModel, _: P) -> P:
    """Get-Subnets."""
    addresses = [switch.address for switch in host.switches.values() if switch.address]
    return {"subnets": ["127.0.0.1/8", "192.0.2.5/24", *addresses]}


def get_leases(host: HostModel, p: P) -> P:
    """Get-Leases."""
    network = p["Subnet"].rpartition(".")[0] + "."
    leases = [
        {"mac": mac, "address": address}
        for switch in host.switches.values()
        for mac, address in switch.leases.items()
        if switch.address.startswith(network)
    ]
    return {"leases": leases}


def remove_network(host: HostModel, p: P) -> P:
    """Remove-Network."""
    host.switches.pop(p["Name"], None)
    return {}


def watch_machines(host: HostModel, p: P) -> P:
    """Watch-Machines: waits, as the script does, without blocking the model."""

    def states() -> list[str]:
        names = sorted(machine.name for machine in every(host, "Watch-Machines"))
        local = [name for name in names if name.startswith(p["Prefix"])]
        return [f"{name}={host.machines[name].state}" for name in local]

    def has_news() -> bool:
        logged = bool(p["After"] < 0 or len(host.log) > p["After"])
        return logged or ";".join(states()) != p["Known"]

    if not host.reads_log:
        raise log_denied()
    # Shorter than allowed, so that no test waits for the end of a watch.
    host.changed.wait_for(has_news, min(p["Milliseconds"], LONGEST_MILLISECONDS) / 1000)
    names = {machine.identifier: name for name, machine in host.machines.items()}
    records = host.log[p["After"] :] if p["After"] >= 0 else []
    events = [{"machine": names[who], "event": event} for who, event in records if who in names]
    return {"states": states(), "events": events, "last": len(host.log)}
