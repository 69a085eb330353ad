"""Migration scripts, between hosts that know each other by name."""

from __future__ import annotations

from typing import Any

from tests.fakes.hyperv_host.errors import disk_full, migration_failed, path_not_found
from tests.fakes.hyperv_host.machines import find
from tests.fakes.hyperv_host.model import HostModel, MachineModel

P = dict[str, Any]


def move_machine(host: HostModel, p: P) -> P:
    """Move-Machine: everything is checked before anything moves."""
    machine, other = find(host, "MoveVM", p["Name"]), host.peers.get(p["Destination"])
    if not host.migrates:
        raise migration_failed(machine.name, "Live migration is not enabled on the source host.")
    if other is None:
        message = f"The connection with host '{p['Destination']}' failed: it did not respond."
        raise migration_failed(machine.name, message, 0x8007274C)
    if not host.delegated:
        message = "No credentials are available in the security package."
        raise migration_failed(machine.name, message, 0x8009030E)
    with other.changed:
        _check(machine, p["Destination"], other)
        other.files.update(_moved_files(host, machine, p["Folder"]))
        other.machines[machine.name] = host.machines.pop(machine.name)
        other.changed.notify_all()
    return {}


def _check(machine: MachineModel, name: str, other: HostModel) -> None:
    """The destination's reasons against the move."""
    if not other.migrates:
        raise migration_failed(machine.name, f"Host '{name}' does not take live migrations.")
    for nic in machine.nics:
        if nic.network not in other.switches:
            raise migration_failed(machine.name, f"Could not find Ethernet switch '{nic.network}'.")
    if machine.is_on and not other.same_processor:
        message = (
            f"It uses processor-specific features not supported on physical computer '{name}'."
        )
        raise migration_failed(machine.name, message)
    if machine.is_on and other.taken_mib + machine.startup_mib > other.memory_mib:
        message = "Not enough memory in the system to start the virtual machine."
        raise migration_failed(machine.name, message, 0x8007000E)


def move_storage(host: HostModel, p: P) -> P:
    """Move-Storage."""
    machine = find(host, "MoveVMStorage", p["Name"])
    drive = p["Folder"][:2]
    if drive not in host.drives:
        raise path_not_found(p["Folder"])
    if sum(len(host.files[path]) for path in machine.disks.values()) > host.drives[drive]:
        raise disk_full(p["Folder"])
    host.files.update(_moved_files(host, machine, p["Folder"]))
    return {}


def _moved_files(host: HostModel, machine: MachineModel, folder: str) -> dict[str, bytearray]:
    """The disks under their new paths, taken from the host; the machine uses them from now on."""
    found = {}
    for place, path in machine.disks.items():
        new = f"{folder}\\Virtual Hard Disks\\{path.rpartition(chr(92))[2]}"
        found[new] = host.files.pop(path)
        machine.disks[place] = new
    machine.folder = folder
    return found
