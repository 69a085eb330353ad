"""The scripted host: recognizes a script by its text, binds its parameters, changes the model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fakes.hyperv_host import (
    direct,
    machines,
    metering,
    moving,
    networking,
    services,
    surroundings,
)
from tests.fakes.hyperv_host.binding import bound, scripts
from tests.fakes.hyperv_host.errors import HostError
from tests.fakes.hyperv_host.model import HostModel
from tests.fakes.powershell_remoting.script import Reply
from tests.fakes.powershell_remoting.server import USER, Server, serving

VERSION = 1

Act = Callable[[HostModel, dict[str, Any]], dict[str, Any]]

ACTS: dict[str, Act] = {
    "Get-HostState": surroundings.get_host_state,
    "Get-HostFacts": surroundings.get_host_facts,
    "Get-FileLength": surroundings.get_file_length,
    "Add-FilePart": surroundings.add_file_part,
    "Complete-File": surroundings.complete_file,
    "New-Folder": surroundings.new_folder,
    "Set-FolderNotes": surroundings.set_folder_notes,
    "Set-MachineNotes": machines.set_machine_notes,
    "Set-NetworkNotes": surroundings.set_network_notes,
    "Get-Folders": surroundings.get_folders,
    "Remove-Folder": surroundings.remove_folder,
    "New-Network": surroundings.new_network,
    "Get-Networks": surroundings.get_networks,
    "Get-Subnets": surroundings.get_subnets,
    "Get-Leases": surroundings.get_leases,
    "Remove-Network": surroundings.remove_network,
    "Watch-Machines": surroundings.watch_machines,
    "New-Machine": machines.new_machine,
    "Set-Identity": machines.set_identity,
    "Add-Disk": machines.add_disk,
    "Add-Dvd": machines.add_dvd,
    "Set-Floppy": machines.set_floppy,
    "Add-Nic": machines.add_nic,
    "Remove-Nic": machines.remove_nic,
    "Set-Firmware": machines.set_firmware,
    "Set-Bios": machines.set_bios,
    "Enable-Tpm": machines.enable_tpm,
    "Get-Machines": machines.get_machines,
    "Get-Machine": machines.get_machine,
    "Start-Machine": machines.start,
    "Suspend-Machine": machines.suspend,
    "Resume-Machine": machines.resume,
    "Stop-Machine": machines.stop,
    "Reset-Machine": machines.reset,
    "Remove-Machine": machines.remove,
    "Save-Machine": machines.save,
    "Restore-Machine": machines.restore,
    "Send-Nmi": machines.send_nmi,
    "Get-Screen": machines.get_screen,
    "Send-Key": machines.send_key,
    "Move-Nic": machines.move_nic,
    "Get-NicPolicy": networking.get_nic_policy,
    "Set-NicVlan": networking.set_nic_vlan,
    "Set-NicGuards": networking.set_nic_guards,
    "Set-NicAcl": networking.set_nic_acl,
    "Switch-Metering": metering.switch_metering,
    "Measure-Machine": metering.measure_machine,
    "Move-Machine": moving.move_machine,
    "Move-Storage": moving.move_storage,
    "Invoke-InGuest": direct.invoke_in_guest,
    "Get-Log": machines.get_log,
    "Request-Power": machines.request_power,
    "Open-Console": services.open_console,
    "Sync-Console": services.sync_console,
    "Get-Services": services.get_services,
    "Switch-Service": services.switch_service,
    "Get-Pairs": services.get_pairs,
    "Set-Pair": services.set_pair,
    "Copy-ToGuest": services.copy_to_guest,
    "New-Checkpoint": services.new_checkpoint,
    "Get-Checkpoints": services.get_checkpoints,
    "Restore-Checkpoint": services.restore_checkpoint,
    "Remove-Checkpoint": services.remove_checkpoint,
    "Get-Memory": services.get_memory,
    "Set-Memory": services.set_memory,
}
"""The effect of each script on the model."""


class HypervHost:
    """See ScriptedShell. `asked`: names of the scripts that ran, in order."""

    def __init__(self, model: HostModel) -> None:
        self.asked: list[str] = []
        self._model = model

    def run(
        self, script: str, parameters: Mapping[str, object], pipeline_input: Sequence[object]
    ) -> Reply:
        """See ScriptedShell."""
        name = scripts()[script]
        assert not pipeline_input, "the project's scripts take parameters only"
        with self._model.changed:
            self.asked.append(name)
            try:
                answer = ACTS[name](self._model, bound(name, parameters))
            except HostError as error:
                return Reply(failure=error.record)
            finally:
                self._model.changed.notify_all()
        return Reply(output=[json.dumps({"version": VERSION} | answer)])


@contextmanager
def hyperv_host(
    folder: Path, model: HostModel | None = None
) -> Iterator[tuple[HostModel, Server, str]]:
    """Serve a host until the end of the block; gives its model, its server and its address.

    The password must be given to the driver by the environment, as to any host.
    """
    model = model or HostModel()
    with serving(HypervHost(model), folder) as server:
        options = f"auth=basic&ca={server.certificate.path}"
        yield model, server, f"hyperv://{USER}@{server.host}:{server.port}/?{options}"
