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
from harness.hypervisors.direct import Login
from harness.hypervisors.host_services import CheckpointKind, ServiceName
from harness.hypervisors.hyperv import console, screen
from harness.hypervisors.hyperv.address import Address
from harness.hypervisors.hyperv.definition import (
    HostFolders,
    guard,
    hyperv_mac,
    nic_step,
    notes_of,
)
from harness.hypervisors.hyperv.errors import HostRefusalError
from harness.hypervisors.hyperv.event_watch import Watcher
from harness.hypervisors.hyperv.metering import HypervMetering
from harness.hypervisors.hyperv.policy import HypervNetworkPolicy
from harness.hypervisors.hyperv.remoting import CALL_SECONDS, Runner, Session, Value
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
"""Every other word of Hyper-V's ends in Critical: the machine lost its disks, or its memory."""

SCAN_CODES = {Key.ENTER: 0x1C, Key.SPACE: 0x39}
"""Of set 1; with the highest bit the key is released."""

RELEASED = 0x80
LOG_LINES = 200
SAVE_SECONDS = 1800.0
"""Saving and restoring copy the machine's disks on the host."""


DIRECT_SECONDS = 60.0
"""How much longer than its program may take a guest that lets a user in."""

MOVE_SECONDS = 3600.0
"""Moving copies all disks."""


class HypervMachine:
    """See Machine; `identifier` is Hyper-V's own."""

    def __init__(
        self,
        run: Runner,
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

    def state(self) -> MachineState:
        """See Machine."""
        doing = f"asking for the state of {self.name}"
        answer = self._run("Get-Machines", doing, Prefix=self.name)
        for machine in answer["machines"]:
            if machine["name"] == self.name:
                return STATES.get(machine["state"], MachineState.CRASHED)
        raise HypervisorError(
            f"{doing}: it is not there any more",
            remedy="look whether somebody removed it: Get-VM on the host",
        )

    def start(self, *, paused: bool = False) -> None:
        """See Machine. Hyper-V can't start a machine stopped: it is paused right after."""
        self._do("Start-Machine", "starting", Paused=paused)

    def pause(self) -> None:
        """See Machine."""
        self._do("Suspend-Machine", "pausing")

    def resume(self) -> None:
        """See Machine."""
        self._do("Resume-Machine", "resuming")

    def shutdown(self, method: PowerMethod) -> None:
        """See Machine. Raises ChannelError where the shutdown service can't be asked."""
        self._request("InitiateShutdown", "shut down", method)

    def reboot(self, method: PowerMethod) -> None:
        """See Machine. Raises ChannelError where the shutdown service can't be asked."""
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
        """See Machine. The state stays on the host: `state_file` tells only where."""
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
        """See Machine: a standard checkpoint, which holds the memory too."""
        self.services.checkpoint(name, CheckpointKind.STANDARD)

    def revert(self, name: str, *, paused: bool = False) -> None:
        """See Machine. What the checkpoint holds of memory is a saved state, which is started."""
        self.services.restore_checkpoint(name)
        self._do("Start-Machine", f"going on from the checkpoint {name!r} of", Paused=paused)

    def sleep(self, state: SleepState) -> None:
        """See Machine. Raises HypervisorError: no service of Hyper-V's puts a guest to sleep."""
        raise HypervisorError(f"putting {self.name} to sleep ({state}): Hyper-V has no way to ask")

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
        raise ChannelError(f"{self.name} is on Hyper-V, which carries no QEMU guest agent")

    def direct_command(
        self,
        login: Login,
        arguments: Sequence[str],
        *,
        stdin: bytes,
        environment: Mapping[str, str],
        timeout: float,
    ) -> Mapping[str, object]:
        """See DirectCommands: by PowerShell Direct, which Windows 10 and Server 2016 began with."""
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
        except HypervisorError as error:  # the guest's refusal, or its silence
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
        answer = self._do("Get-Machine", "asking for the settings of")
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
        """Go to another host, into a folder there; returns Hyper-V's id of it, which stays.

        Raises HypervisorError where a host refuses: it stays as it was then.
        """
        doing = f"moving to {host}"
        self._do("Move-Machine", doing, seconds=MOVE_SECONDS, Destination=host, Folder=folder)
        self.remove()  # what is left of its folder here
        return self._identifier

    def move_storage(self, folder: str) -> None:
        """See MovesStorage. They go into a folder by which `remove` and `clean` know them."""
        below = HostFolders.below(folder).machine(self.name)
        self._do("Move-Storage", "moving the files of", seconds=MOVE_SECONDS, Folder=below)

    def plug_nic(self, nic: NicDefinition) -> None:
        """See HotPlug. Generation 1 refuses while it runs, as hosts before 2016 do."""
        if nic.mac in self._macs:
            raise HypervisorError(f"{self.name} has a network card {nic.mac} already")
        guard(nic.network)
        step = nic_step(self.name, nic, legacy=False)
        self._run(step.script, f"giving {nic.mac} to {self.name}", **step.parameters)
        self._now_has([*self._definition.nics, nic])

    def unplug_nic(self, mac: str) -> None:
        """See HotPlug. Generation 1 refuses while it runs, as hosts before 2016 do."""
        self._require_nic(mac)
        self._do("Remove-Nic", f"taking {mac} from", Mac=hyperv_mac(mac))
        self._now_has([nic for nic in self._definition.nics if nic.mac != mac])

    @property
    def _macs(self) -> list[str]:
        return [nic.mac for nic in self._definition.nics]

    def _require_nic(self, mac: str) -> None:
        if mac not in self._macs:
            raise HypervisorError(f"{self.name} has no network card {mac}")

    def _now_has(self, nics: Sequence[NicDefinition]) -> None:
        self._definition = dataclasses.replace(self._definition, nics=nics)

    def _request(self, method: str, verb: str, through: PowerMethod) -> None:
        doing = f"asking {self.name} to {verb}"
        if through is PowerMethod.ACPI:
            raise HypervisorError(
                f"{doing}: Hyper-V's machines have no power button",
                remedy="ask through the shutdown service, which is PowerMethod.AGENT",
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
                f"restoring {self.name}: {state_file} does not tell of a state on the host"
            ) from error
        return str(name)

    def _do(
        self, script: str, doing: str, seconds: float = CALL_SECONDS, **parameters: Value
    ) -> dict[str, Any]:
        doing = f"{doing} {self.name}"
        return self._run(script, doing, seconds, Name=self.name, **parameters)
