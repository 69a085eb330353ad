"""Scripts for consoles and integration services."""

from __future__ import annotations

import base64
from typing import Any

from harness.hypervisors.facets.host_services import ServiceName
from harness.hypervisors.hyperv.services import IDS
from tests.fakes.hyperv_host.errors import (
    file_exists,
    invalid_state,
    no_memory_to_add,
    not_found,
    path_not_found,
    service_unavailable,
    thrown,
)
from tests.fakes.hyperv_host.machines import find, turn_off
from tests.fakes.hyperv_host.model import SERVER_2016, HostModel, MachineModel, service_of

P = dict[str, Any]

GRANULE_MIB = 2
"""Hyper-V allocates memory in multiples of two mebibytes."""


def open_console(host: HostModel, p: P) -> P:
    """Open-Console."""
    if _behind(host, p["Pipe"]) is None:
        raise thrown("Exception calling 'Connect': The operation has timed out.")
    return {}


def sync_console(host: HostModel, p: P) -> P:
    """Sync-Console."""
    machine = _behind(host, p["Pipe"])
    if machine is None:
        return {"data": "", "open": False}
    typed = base64.b64decode(p["Data"])
    if machine.guest and machine.state == "Running" and typed:
        machine.console_output += machine.guest.respond(typed)
    if not machine.console_output:
        host.changed.wait(p["Milliseconds"] / 1000)
    output = bytes(machine.console_output)
    machine.console_output.clear()
    return {"data": base64.b64encode(output).decode(), "open": True}


def _behind(host: HostModel, pipe: str) -> MachineModel | None:
    """The machine with that pipe as serial port; the pipe exists while the machine is on."""
    path = "\\\\.\\pipe\\" + pipe
    return next((m for m in host.machines.values() if m.pipe == path and m.is_on), None)


def get_services(host: HostModel, p: P) -> P:
    """Get-Services."""
    machine = find(host, "GetVMIntegrationService", p["Name"])
    services = [
        {
            "id": f"Microsoft:{machine.identifier.upper()}\\{IDS[name]}",
            "enabled": enabled,
            "status": machine.status(name),
        }
        for name, enabled in machine.services.items()
    ]
    return {"services": services}


def switch_service(host: HostModel, p: P) -> P:
    """Switch-Service."""
    machine = find(host, "GetVMIntegrationService", p["Name"])
    machine.services[service_of(p["Service"])] = p["Enabled"]
    return {}


def get_pairs(host: HostModel, p: P) -> P:
    """Get-Pairs."""
    machine = find(host, "GetVM", p["Name"])
    guest = machine.guest if machine.reached(ServiceName.DATA_EXCHANGE) else None
    return {
        "intrinsic": guest.intrinsic if guest else {},
        "guest": {},
        "host": machine.host_pairs,
    }


def set_pair(host: HostModel, p: P) -> P:
    """Set-Pair."""
    pairs = find(host, "GetVM", p["Name"]).host_pairs
    if (p["Key"] in pairs) is (p["Change"] == "Add"):
        raise thrown("the key-value pair was not changed: the key exists, or does not")
    if p["Change"] == "Remove":
        del pairs[p["Key"]]
    else:
        pairs[p["Key"]] = p["Value"]
    return {}


def copy_to_guest(host: HostModel, p: P) -> P:
    """Copy-ToGuest."""
    cmdlet, machine = "CopyVMFile", find(host, "CopyVMFile", p["Name"])
    if p["Source"] not in host.files:
        raise path_not_found(p["Source"])
    if machine.state != "Running":
        raise invalid_state(cmdlet, machine.name, machine.state)
    if not machine.services[ServiceName.FILE_COPY]:
        message = "The Guest Service Interface is disabled."
        raise service_unavailable(cmdlet, machine.name, message)
    if machine.guest is None or not machine.reached(ServiceName.FILE_COPY):
        message = "Failed to initiate copying files to the guest: the guest does not answer."
        raise service_unavailable(cmdlet, machine.name, message)
    if p["Destination"] in machine.guest.files and not p["Force"]:
        raise file_exists(cmdlet, p["Destination"])
    if machine.guest.disk_full:
        message = "Failed to copy the file to the guest: there is not enough space on the disk."
        raise service_unavailable(cmdlet, machine.name, message)
    machine.guest.files[p["Destination"]] = bytes(host.files[p["Source"]])
    return {}


def new_checkpoint(host: HostModel, p: P) -> P:
    """New-Checkpoint."""
    machine = find(host, "CheckpointVM", p["Name"])
    if p["Kind"] != "Standard" and host.build_number < SERVER_2016:
        raise thrown("the host has no production checkpoints")
    machine.checkpoint_type = p["Kind"]
    quiesced = p["Kind"] == "ProductionOnly" and machine.state == "Running"
    if quiesced and not machine.reached(ServiceName.BACKUP):
        message = (
            "Production checkpoints cannot be created: the guest's volumes could not be quiesced."
        )
        raise service_unavailable("CheckpointVM", machine.name, message)
    holds_memory = p["Kind"] == "Standard" and machine.is_on
    machine.checkpoints[p["Checkpoint"]] = "Saved" if holds_memory else "Off"
    return {}


def get_checkpoints(host: HostModel, p: P) -> P:
    """Get-Checkpoints."""
    return {"names": list(find(host, "GetVMSnapshot", p["Name"]).checkpoints)}


def restore_checkpoint(host: HostModel, p: P) -> P:
    """Restore-Checkpoint: the machine is off afterwards; its memory is a saved state."""
    machine = _with_checkpoint(host, "GetVMSnapshot", p)
    turn_off(host, machine)
    machine.state = machine.checkpoints[p["Checkpoint"]]
    return {}


def remove_checkpoint(host: HostModel, p: P) -> P:
    """Remove-Checkpoint."""
    _with_checkpoint(host, "RemoveVMSnapshot", p).checkpoints.pop(p["Checkpoint"])
    return {}


def _with_checkpoint(host: HostModel, cmdlet: str, p: P) -> MachineModel:
    machine = find(host, cmdlet, p["Name"])
    if p["Checkpoint"] not in machine.checkpoints:
        raise not_found(cmdlet, "virtual machine checkpoint", p["Checkpoint"])
    return machine


def get_memory(host: HostModel, p: P) -> P:
    """Get-Memory."""
    machine = find(host, "GetVMMemory", p["Name"])
    minimum, maximum = machine.limits or (512, 1048576)
    assigned = machine.startup_mib if machine.is_on else 0
    return {
        "dynamic": machine.limits is not None,
        "startup_mib": machine.startup_mib,
        "minimum_mib": minimum,
        "maximum_mib": maximum,
        "assigned_mib": assigned,
        "require_mib": assigned // 2,
        "status": "OK" if machine.is_on else "",
    }


def set_memory(host: HostModel, p: P) -> P:
    """Set-Memory: a running dynamic machine keeps its amount, a static one has no limits.

    A running static one is resized by hosts from 2016 on, by what memory they have.
    """
    machine = find(host, "SetVMMemory", p["Name"])
    limited = p["MinimumMib"] or p["MaximumMib"]
    fixed = machine.limits or host.build_number < SERVER_2016
    if machine.is_on and fixed and p["StartupMib"]:
        raise invalid_state("SetVMMemory", machine.name, machine.state)
    grows = p["StartupMib"] - machine.startup_mib
    if machine.is_on and host.taken_mib + grows > host.memory_mib:
        raise no_memory_to_add("SetVMMemory", machine.name)
    if limited and not machine.limits:
        raise invalid_state("SetVMMemory", machine.name, "without dynamic memory")
    if p["StartupMib"] % GRANULE_MIB:
        raise thrown("the amount of memory is not a multiple of 2 MB")
    machine.startup_mib = p["StartupMib"] or machine.startup_mib
    if machine.limits:
        least, most = machine.limits
        machine.limits = (p["MinimumMib"] or least, p["MaximumMib"] or most)
    return {}
