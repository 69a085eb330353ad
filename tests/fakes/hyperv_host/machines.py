"""Scripts for machines and their power."""

from __future__ import annotations

import base64
import copy
from typing import Any

from harness.hypervisors.facets.host_services import ServiceName
from tests.fakes.hyperv_host.errors import (
    access_denied,
    in_use,
    invalid_state,
    not_found,
    out_of_memory,
    path_not_found,
    thrown,
    vanished,
    wrong_generation,
)
from tests.fakes.hyperv_host.model import (
    RESET,
    SERVER_2016,
    SHUT_DOWN,
    STARTED,
    TURNED_OFF,
    HostModel,
    MachineModel,
    Nic,
)

P = dict[str, Any]


def every(host: HostModel, script: str) -> list[MachineModel]:
    """All machines, for a user who may see them; `cut`: how often a removal interrupts it."""
    if not host.administrator:
        raise access_denied("GetVM")
    if host.cut.get(script):
        host.cut[script] -= 1
        raise vanished("GetVM")
    return list(host.machines.values())


def find(host: HostModel, cmdlet: str, name: str) -> MachineModel:
    """The machine of that name, for a user who may see it."""
    if not host.administrator:
        raise access_denied(cmdlet)
    if name not in host.machines:
        raise not_found(cmdlet, "virtual machine", name)
    return host.machines[name]


def find_off(host: HostModel, cmdlet: str, name: str) -> MachineModel:
    """The machine of that name, where it is off."""
    machine = find(host, cmdlet, name)
    if machine.state != "Off":
        raise invalid_state(cmdlet, name, machine.state)
    return machine


def new_machine(host: HostModel, p: P) -> P:
    """New-Machine."""
    if not host.administrator:
        raise access_denied("NewVM")
    machine = MachineModel(
        name=p["Name"],
        generation=p["Generation"],
        notes=p["Notes"],
        startup_mib=p["MemoryMib"],
        processors=p["Processors"],
        folder=p["Folder"],
        pipe=p["Pipe"],
        limits=(p["MinimumMib"], p["MaximumMib"]) if p["MaximumMib"] else None,
        legacy_processor=p["LegacyProcessor"],
        per_node=p["ProcessorsPerNode"],
    )
    if p["CoreThreads"] > 1 and host.build_number < SERVER_2016:
        raise thrown("the host does not support several threads for each core")
    host.machines[machine.name] = machine
    host.made.append(machine)
    return {"id": machine.identifier}


def set_identity(host: HostModel, p: P) -> P:
    """Set-Identity."""
    machine = find_off(host, "SetVM", p["Name"])
    machine.uuid, machine.serial = p["Uuid"], p["Serial"]
    return {}


def add_disk(host: HostModel, p: P) -> P:
    """Add-Disk."""
    machine = find(host, "AddVMHardDiskDrive", p["Name"])
    if p["Path"] not in host.files:
        if p["Base"] not in host.files:
            raise path_not_found(p["Base"])
        host.files[p["Path"]] = bytearray(b"differencing over " + p["Base"].encode())
    if p["Controller"] == "IDE":
        machine = find_off(host, "AddVMHardDiskDrive", p["Name"])
        if machine.generation == 2:
            raise wrong_generation("AddVMHardDiskDrive", machine.name, 2)
    machine.disks[p["Controller"], p["Number"], p["Location"]] = p["Path"]
    return {}


def add_dvd(host: HostModel, p: P) -> P:
    """Add-Dvd."""
    machine = find(host, "AddVMDvdDrive", p["Name"])
    if p["Path"] not in host.files:
        raise path_not_found(p["Path"])
    machine.dvds[p["Number"], p["Location"]] = p["Path"]
    return {}


def set_floppy(host: HostModel, p: P) -> P:
    """Set-Floppy."""
    machine = find(host, "SetVMFloppyDiskDrive", p["Name"])
    if machine.generation == 2:
        raise wrong_generation("SetVMFloppyDiskDrive", machine.name, 2)
    machine.floppy = p["Path"]
    return {}


def add_nic(host: HostModel, p: P) -> P:
    """Add-Nic."""
    machine = find(host, "AddVMNetworkAdapter", p["Name"])
    if p["Network"] not in host.switches:
        raise not_found("AddVMNetworkAdapter", "virtual switch", p["Network"])
    if p["Legacy"] and machine.generation == 2:
        raise wrong_generation("AddVMNetworkAdapter", machine.name, 2)
    _require_hot_plug(host, "AddVMNetworkAdapter", machine)
    guards = p["DhcpGuard"], p["RouterGuard"], p["Spoofing"]
    machine.nics.append(Nic(p["Nic"], p["Mac"], p["Network"], p["Legacy"], *guards))
    return {}


def remove_nic(host: HostModel, p: P) -> P:
    """Remove-Nic."""
    machine = find(host, "GetVMNetworkAdapter", p["Name"])
    _require_hot_plug(host, "RemoveVMNetworkAdapter", machine)
    machine.nics = [nic for nic in machine.nics if nic.mac != p["Mac"]]
    return {}


def _require_hot_plug(host: HostModel, cmdlet: str, machine: MachineModel) -> None:
    """Only generation 2 can change while on, and only on hosts since 2016."""
    able = machine.generation == 2 and host.build_number >= SERVER_2016
    if machine.state != "Off" and not able:
        raise invalid_state(cmdlet, machine.name, machine.state)


def set_firmware(host: HostModel, p: P) -> P:
    """Set-Firmware."""
    machine = find_off(host, "SetVMFirmware", p["Name"])
    if machine.generation == 1:
        raise wrong_generation("SetVMFirmware", machine.name, 1)
    machine.secure_boot = (p["SecureBoot"], p["Template"])
    machine.boot_order = p["Order"]
    return {}


def set_bios(host: HostModel, p: P) -> P:
    """Set-Bios."""
    machine = find_off(host, "SetVMBios", p["Name"])
    if machine.generation == 2:
        raise wrong_generation("SetVMBios", machine.name, 2)
    machine.boot_order = p["Order"]
    return {}


def enable_tpm(host: HostModel, p: P) -> P:
    """Enable-Tpm."""
    machine = find_off(host, "EnableVMTPM", p["Name"])
    if machine.generation == 1:
        raise wrong_generation("EnableVMTPM", machine.name, 1)
    machine.tpm = True
    return {}


def get_machines(host: HostModel, p: P) -> P:
    """Get-Machines."""
    found = [
        {"name": m.name, "state": m.state, "notes": m.notes}
        for m in every(host, "Get-Machines")
        if m.name.startswith(p["Prefix"])
    ]
    return {"machines": found}


def set_machine_notes(host: HostModel, p: P) -> P:
    """Set-MachineNotes."""
    if any(m.name == p["Name"] for m in every(host, "Set-MachineNotes")):
        find(host, "SetVM", p["Name"]).notes = p["Notes"]
    return {}


def get_machine(host: HostModel, p: P) -> P:
    """Get-Machine."""
    machine = find(host, "GetVM", p["Name"])
    return {
        "name": machine.name,
        "id": machine.identifier,
        "state": machine.state,
        "generation": machine.generation,
        "processors": machine.processors,
        "startup_mib": machine.startup_mib,
        "dynamic_memory": machine.limits is not None,
        "disks": list(machine.disks.values()),
        "dvds": list(machine.dvds.values()),
        "nics": [f"{nic.mac} {nic.network}" for nic in machine.nics],
    }


def start(host: HostModel, p: P) -> P:
    """Start-Machine."""
    machine = find(host, "StartVM", p["Name"])
    if machine.state not in ("Off", "Saved"):
        raise thrown(f"the machine is {machine.state}, and not off")
    for other in host.machines.values():
        if other.is_on and set(other.disks.values()) & set(machine.disks.values()):
            raise in_use("StartVM", machine.name)
    if host.taken_mib + machine.startup_mib > host.memory_mib:
        raise out_of_memory(machine.name)
    machine.state = "Paused" if p["Paused"] else "Running"
    host.happened(machine, STARTED)
    return {}


def suspend(host: HostModel, p: P) -> P:
    """Suspend-Machine."""
    machine = find(host, "SuspendVM", p["Name"])
    if machine.state != "Running":
        raise invalid_state("SuspendVM", machine.name, machine.state)
    machine.state = "Paused"
    return {}


def resume(host: HostModel, p: P) -> P:
    """Resume-Machine."""
    machine = find(host, "ResumeVM", p["Name"])
    if machine.state != "Paused":
        raise invalid_state("ResumeVM", machine.name, machine.state)
    machine.state = "Running"
    return {}


def stop(host: HostModel, p: P) -> P:
    """Stop-Machine: a saved machine stays saved."""
    for machine in every(host, "Stop-Machine"):
        if machine.name == p["Name"]:
            turn_off(host, machine)
    return {}


def turn_off(host: HostModel, machine: MachineModel) -> None:
    """Removal of an existing machine by a script."""
    if machine.stops:
        machine.state = "Off"
        host.happened(machine, TURNED_OFF)


def reset(host: HostModel, p: P) -> P:
    """Reset-Machine."""
    machine = _running(host, "RestartVM", p["Name"])
    host.happened(machine, RESET)
    return {}


def remove(host: HostModel, p: P) -> P:
    """Remove-Machine."""
    stop(host, p)
    found = host.machines.pop(p["Name"], None)
    folders = [p["Folder"]]
    if found and found.folder.endswith(f"\\guestcert\\machines\\{found.name}"):
        folders.append(found.folder)
    for path in list(host.files):
        if any(path.startswith(f"{folder}\\") for folder in folders):
            del host.files[path]
    return {"removed": int(found is not None)}


def save(host: HostModel, p: P) -> P:
    """Save-Machine."""
    machine = find(host, "SaveVM", p["Name"])
    if not machine.is_on:
        raise invalid_state("SaveVM", machine.name, machine.state)
    machine.state = "Off"
    host.states[p["Folder"]] = copy.copy(machine)
    host.folders[p["Folder"]] = p["Notes"]
    return {}


def restore(host: HostModel, p: P) -> P:
    """Restore-Machine."""
    if p["Source"] not in host.states:
        raise path_not_found(p["Source"])
    for present in every(host, "Restore-Machine"):
        if present.name == p["Name"]:
            turn_off(host, present)
    machine = copy.copy(host.states[p["Source"]])
    machine.state = "Paused" if p["Paused"] else "Running"
    machine.notes = p["Notes"]
    host.machines[p["Name"]] = machine
    return {}


def send_nmi(host: HostModel, p: P) -> P:
    """Send-Nmi."""
    machine = find(host, "DebugVM", p["Name"])
    if machine.state != "Running":
        raise invalid_state("DebugVM", machine.name, machine.state)
    machine.interrupts += 1
    return {}


def get_screen(host: HostModel, p: P) -> P:
    """Get-Screen: a grey display."""
    _running(host, "GetVM", p["Name"])
    width, height = 640, 480
    pixels = base64.b64encode(b"\x10\x84" * width * height).decode()
    return {"width": width, "height": height, "pixels": pixels}


def send_key(host: HostModel, p: P) -> P:
    """Send-Key."""
    machine = _running(host, "GetVM", p["Name"])
    machine.keys += [p["Press"], p["Release"]]
    return {}


def move_nic(host: HostModel, p: P) -> P:
    """Move-Nic."""
    machine = find(host, "GetVMNetworkAdapter", p["Name"])
    if p["Network"] not in host.switches:
        raise not_found("ConnectVMNetworkAdapter", "virtual switch", p["Network"])
    for nic in machine.nics:
        if nic.mac == p["Mac"]:
            nic.network = p["Network"]
            return {}
    raise thrown(f"the machine has no network card {p['Mac']}")


def get_log(host: HostModel, p: P) -> P:
    """Get-Log."""
    lines = [str(event) for identifier, event in reversed(host.log) if identifier == p["Id"]]
    return {"lines": lines[: p["Count"]]}


def request_power(host: HostModel, p: P) -> P:
    """Request-Power."""
    machine = _running(host, "GetVM", p["Name"])
    if not machine.services[ServiceName.SHUTDOWN]:
        raise thrown("the shutdown service is disabled on the host")
    if not machine.reached(ServiceName.SHUTDOWN):
        raise thrown("the guest does not answer through the shutdown service")
    if machine.guest and machine.guest.obeys_shutdown:
        if p["Method"] == "InitiateShutdown":
            machine.state = "Off"
            host.happened(machine, SHUT_DOWN)
        else:
            host.happened(machine, RESET)
    return {}


def _running(host: HostModel, cmdlet: str, name: str) -> MachineModel:
    machine = find(host, cmdlet, name)
    if machine.state != "Running":
        raise thrown(f"the machine is {machine.state}, and not running")
    return machine
