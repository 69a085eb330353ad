"""One machine on Hyper-V."""

from __future__ import annotations

import base64
import dataclasses
import json
import socket
import subprocess
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.errors import ChannelError, HypervisorError, HypervisorUnreachableError
from harness.events import EventLog
from harness.hypervisors.base import Key, MachineState, PowerMethod, SleepState
from harness.hypervisors.definitions import MachineDefinition, NicDefinition
from harness.hypervisors.facets.direct import Login
from harness.hypervisors.facets.host_services import CheckpointKind, ServiceName
from harness.hypervisors.hyperv import console, screen
from harness.hypervisors.hyperv.address import Address
from harness.hypervisors.hyperv.definition import (
    HostFolders,
    guard,
    hyperv_mac,
    nic_call,
    notes_of,
)
from harness.hypervisors.hyperv.errors import HostRefusalError
from harness.hypervisors.hyperv.event_watch import Watcher
from harness.hypervisors.hyperv.metering import HypervMetering
from harness.hypervisors.hyperv.policy import HypervNetworkPolicy
from harness.hypervisors.hyperv.remoting import CALL_SECONDS, ScriptRunner, Session, Value
from harness.hypervisors.hyperv.services import IDS, HypervServices
from harness.hypervisors.hyperv.transfer import Transfer

STATES = {
    "Off": MachineState.OFF,
    "Saved": MachineState.OFF,
    "Running": MachineState.RUNNING,
    "Starting": MachineState.RUNNING,
    "Stopping": MachineState.RUNNING,
    "Saving": MachineState.RUNNING,
    "Pausing": MachineState.RUNNING,
    "Resuming": MachineState.RUNNING,
    "Reset": MachineState.RUNNING,
    "Paused": MachineState.PAUSED,
}
"""All other states of Hyper-V end in Critical: the machine lost its disks, or its memory."""

SCAN_CODES = {Key.ENTER: 0x1C, Key.SPACE: 0x39}
"""Scan codes of set 1; the highest bit means release."""

RELEASED = 0x80
LOG_LINES = 200
SAVE_SECONDS = 1800.0
"""Saving and restoring copy the machine's disks on the host."""


DIRECT_SECONDS = 60.0
"""Extra time for the login in the guest, beyond the program's own."""

MOVE_SECONDS = 3600.0
"""Moving copies all disks."""


class HypervMachine:
    """See Machine; `identifier` is Hyper-V's id of the machine."""

    def __init__(
        self,
        run: ScriptRunner,
        address: Address,
        definition: MachineDefinition,
        identifier: str,
        folders: HostFolders,
        watcher: Watcher,
    ) -> None:
        self._run = run
        self._address = address
        self._definition = definition
        self._identifier = identifier
        self._folders = folders
        self._watcher = watcher
        self._events = watcher.log_of(definition.name)

    @property
    def name(self) -> str:
        """See Machine."""
        return self._definition.name

    @property
    def definition(self) -> MachineDefinition:
        """See Machine."""
        return self._definition

    @property
    def events(self) -> EventLog:
        """See Machine."""
        return self._events

    @cached_property
    def services(self) -> HypervServices:
        """See HasHostServices."""
        transfer = Transfer(self._run, self._folders)
        return HypervServices(self._run, transfer, self.name, self.definition.owner)

    @cached_property
    def network_policy(self) -> HypervNetworkPolicy:
        """See HasNetworkPolicy."""
        return HypervNetworkPolicy(self._run, self.name)

    @cached_property
    def metering(self) -> HypervMetering:
        """See HasMetering."""
        return HypervMetering(self._run, self.name)

    def seconds_starved(self) -> float:
        """See Machine. Hyper-V counts waits per dispatch and over the host alone."""
        return 0.0

    def state(self) -> MachineState:
        """See Machine."""
        doing = f"reading the state of {self.name}"
        answer = self._run("Get-Machines", doing, Prefix=self.name)
        for machine in answer["machines"]:
            if machine["name"] == self.name:
                return STATES.get(machine["state"], MachineState.CRASHED)
        raise HypervisorError(
            f"{doing}: the machine no longer exists",
            remedy="check whether it was removed: Get-VM on the host",
        )

    def start(self, *, paused: bool = False) -> None:
        """See Machine. Hyper-V cannot start a machine paused: it pauses it right after."""
        self._do("Start-Machine", "starting", Paused=paused)

    def pause(self) -> None:
        """See Machine."""
        self._do("Suspend-Machine", "pausing")

    def resume(self) -> None:
        """See Machine."""
        self._do("Resume-Machine", "resuming")

    def shutdown(self, method: PowerMethod) -> None:
        """See Machine. Raises ChannelError where the shutdown service is unavailable."""
        self._request("InitiateShutdown", "shut down", method)

    def reboot(self, method: PowerMethod) -> None:
        """See Machine. Raises ChannelError where the shutdown service is unavailable."""
        self._request("InitiateReboot", "reboot", method)

    def reset(self) -> None:
        """See Machine."""
        self._do("Reset-Machine", "resetting")

    def inject_nmi(self) -> None:
        """See Machine."""
        self._do("Send-Nmi", "injecting an NMI into")

    def power_off(self) -> None:
        """See Machine."""
        self._do("Stop-Machine", "powering off")

    def save(self, state_file: Path) -> None:
        """See Machine. The state stays on the host: `state_file` only names it."""
        self._watcher.saving(self.name)
        self._do(
            "Save-Machine",
            "saving",
            seconds=SAVE_SECONDS,
            Folder=self._folders.state(self.name),
            Notes=notes_of(self.definition.owner),
        )
        state_file.write_text(json.dumps({"hyperv_state": self.name}), encoding="utf-8")

    def restore(self, state_file: Path, *, paused: bool = False) -> None:
        """See Machine. The disks are those of the state: they were copied with it."""
        self._do(
            "Restore-Machine",
            "restoring",
            seconds=SAVE_SECONDS,
            Source=self._folders.state(self._saved_in(state_file)),
            Folder=self._folders.machine(self.name),
            Notes=notes_of(self.definition.owner),
            Paused=paused,
        )

    def take_snapshot(self, name: str) -> None:
        """See Machine. A standard checkpoint, which includes the memory."""
        self.services.checkpoint(name, CheckpointKind.STANDARD)

    def revert(self, name: str, *, paused: bool = False) -> None:
        """See Machine. The checkpoint's memory is a saved state, which is then started."""
        self.services.restore_checkpoint(name)
        self._do("Start-Machine", f"continuing from the checkpoint {name!r} of", Paused=paused)

    def sleep(self, state: SleepState) -> None:
        """See Machine. Raises HypervisorError: Hyper-V cannot put a guest to sleep."""
        raise HypervisorError(
            f"putting {self.name} to sleep ({state}): Hyper-V does not support it"
        )

    def wake_up(self) -> None:
        """See Machine. Raises HypervisorError: Hyper-V's machines have no S3."""
        raise HypervisorError(f"waking {self.name}: Hyper-V's machines do not sleep")

    def remove(self) -> None:
        """See Machine."""
        folder = self._folders.machine(self.name)
        self._do("Remove-Machine", "removing", Folder=folder)

    def open_console(self) -> socket.socket:
        """See Machine."""
        return console.open_console(Session(self._address), self.name)

    def agent_command(self, command: str, *, timeout: float) -> str:
        """See Machine."""
        raise ChannelError(f"{self.name} is on Hyper-V, which has no QEMU guest agent")

    def direct_command(
        self,
        login: Login,
        arguments: Sequence[str],
        *,
        stdin: bytes,
        environment: Mapping[str, str],
        timeout: float,
    ) -> Mapping[str, object]:
        """See DirectCommands. By PowerShell Direct, since Windows 10 and Server 2016."""
        try:
            return self._do(
                "Invoke-InGuest",
                f"running {arguments[0]} in",
                seconds=timeout + DIRECT_SECONDS,
                Credential=login,
                Program=arguments[0],
                Line=subprocess.list2cmdline(arguments[1:]),
                Data=base64.b64encode(stdin).decode(),
                Milliseconds=round(timeout * 1000),
                Variables=[f"{name}={value}" for name, value in environment.items()] or None,
            )
        except HypervisorUnreachableError:
            raise
        except HypervisorError as error:  # the guest refuses or does not answer
            raise ChannelError(error.sentence, remedy=error.remedy) from error

    def screenshot(self) -> bytes:
        """See Machine."""
        answer = self._do("Get-Screen", "taking a screenshot of")
        return screen.as_png(answer["pixels"], int(answer["width"]), int(answer["height"]))

    def press_key(self, key: Key) -> None:
        """See Machine."""
        code = SCAN_CODES[key]
        self._do("Send-Key", "pressing a key of", Press=code, Release=code | RELEASED)

    def description(self) -> str:
        """See Machine."""
        answer = self._do("Get-Machine", "reading the settings of")
        return json.dumps(answer, indent=2)

    def hypervisor_log(self) -> str:
        """See Machine."""
        doing = f"reading Hyper-V's log of {self.name}"
        answer = self._run("Get-Log", doing, Id=self._identifier, Count=LOG_LINES)
        return "\n".join(str(line) for line in reversed(answer["lines"]))

    def move_nic(self, mac: str, network: str) -> None:
        """See Machine."""
        self._require_nic(mac)
        guard(network)
        self._do("Move-Nic", f"plugging {mac} of", Mac=hyperv_mac(mac), Network=network)

    def leave_for(self, host: str, folder: str) -> str:
        """Move to another host, into a folder there; returns Hyper-V's id, which does not change.

        Raises HypervisorError where a host refuses; the machine is then unchanged.
        """
        doing = f"moving to {host}"
        self._do("Move-Machine", doing, seconds=MOVE_SECONDS, Destination=host, Folder=folder)
        self.remove()  # the remains of its folder here
        return self._identifier

    def move_storage(self, folder: str) -> None:
        """See MovesStorage. `remove` and `clean` recognize the new folder by its name."""
        below = HostFolders.below(folder).machine(self.name)
        self._do("Move-Storage", "moving the files of", seconds=MOVE_SECONDS, Folder=below)

    def plug_nic(self, nic: NicDefinition) -> None:
        """See HotPlug. Generation 1, and hosts before 2016, refuse while the machine runs."""
        if nic.mac in self._macs:
            raise HypervisorError(f"{self.name} already has a network card {nic.mac}")
        guard(nic.network)
        call = nic_call(self.name, nic, legacy=False)
        self._run(call.script, f"adding {nic.mac} to {self.name}", **call.parameters)
        self._replace_nics([*self._definition.nics, nic])

    def unplug_nic(self, mac: str) -> None:
        """See HotPlug. Generation 1, and hosts before 2016, refuse while the machine runs."""
        self._require_nic(mac)
        self._do("Remove-Nic", f"removing {mac} from", Mac=hyperv_mac(mac))
        self._replace_nics([nic for nic in self._definition.nics if nic.mac != mac])

    @property
    def _macs(self) -> list[str]:
        return [nic.mac for nic in self._definition.nics]

    def _require_nic(self, mac: str) -> None:
        if mac not in self._macs:
            raise HypervisorError(f"{self.name} has no network card {mac}")

    def _replace_nics(self, nics: Sequence[NicDefinition]) -> None:
        self._definition = dataclasses.replace(self._definition, nics=nics)

    def _request(self, method: str, verb: str, through: PowerMethod) -> None:
        doing = f"asking {self.name} to {verb}"
        if through is PowerMethod.ACPI:
            raise HypervisorError(
                f"{doing}: Hyper-V machines have no power button",
                remedy="use the shutdown service: PowerMethod.AGENT",
            )
        service = IDS[ServiceName.SHUTDOWN]
        try:
            self._run("Request-Power", doing, Name=self.name, Method=method, Service=service)
        except HostRefusalError as error:
            raise ChannelError(error.sentence, remedy=error.remedy) from error

    def _saved_in(self, state_file: Path) -> str:
        try:
            name = json.loads(state_file.read_text(encoding="utf-8"))["hyperv_state"]
            guard(name)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise HypervisorError(
                f"restoring {self.name}: {state_file} does not name a saved state on the host"
            ) from error
        return str(name)

    def _do(
        self, script: str, doing: str, seconds: float = CALL_SECONDS, **parameters: Value
    ) -> dict[str, Any]:
        doing = f"{doing} {self.name}"
        return self._run(script, doing, seconds, Name=self.name, **parameters)
