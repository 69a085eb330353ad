"""Facets of in-memory machines: they change state and report events."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ChannelError, HypervisorError
from harness.events import EventKind
from harness.hypervisors.base import MachineState
from harness.hypervisors.capabilities import Binding, bind
from harness.hypervisors.definitions import Accelerator
from harness.hypervisors.facets.agent import AGENT
from harness.hypervisors.facets.console import CONSOLE
from harness.hypervisors.facets.display import KEYBOARD, Key
from harness.hypervisors.facets.nics import NIC_MOVE
from harness.hypervisors.facets.power import NMI, POWER_BUTTON, POWER_SERVICE, SLEEP, SleepState
from harness.hypervisors.facets.snapshots import SAVED_STATES, SNAPSHOTS

if TYPE_CHECKING:
    from tests.fakes.hypervisor import FakeMachine


class FakePowerButton:
    """See PowerRequests. The fake guest obeys at once."""

    def __init__(self, machine: FakeMachine) -> None:
        self._machine = machine

    def shutdown(self) -> None:
        """See PowerRequests."""
        self._machine.require(MachineState.RUNNING, "shutting down")
        self._machine.events.add(EventKind.SHUTDOWN)
        self._machine.become(MachineState.OFF, EventKind.STOPPED, "shutdown")

    def reboot(self) -> None:
        """See PowerRequests."""
        self._machine.require(MachineState.RUNNING, "rebooting")
        self._machine.events.add(EventKind.REBOOT)


class FakePowerService:
    """See PowerRequests. Through the fake agent."""

    def __init__(self, machine: FakeMachine) -> None:
        self._machine = machine
        self._button = FakePowerButton(machine)

    def shutdown(self) -> None:
        """See PowerRequests."""
        self._machine.require(MachineState.RUNNING, "shutting down")
        self._machine.agent({"execute": "guest-shutdown"})
        self._button.shutdown()

    def reboot(self) -> None:
        """See PowerRequests."""
        self._machine.require(MachineState.RUNNING, "rebooting")
        self._machine.agent({"execute": "guest-shutdown"})
        self._button.reboot()


class FakeSleep:
    """See Sleep. The fake guest obeys at once."""

    def __init__(self, machine: FakeMachine) -> None:
        self._machine = machine

    def sleep(self, state: SleepState) -> None:
        """See Sleep."""
        self._machine.require(MachineState.RUNNING, "putting to sleep")
        self._machine.agent({"execute": "guest-suspend"})
        if state is SleepState.S3:
            self._machine.become(MachineState.ASLEEP, EventKind.ASLEEP)
        else:
            self._machine.become(MachineState.OFF, EventKind.STOPPED, "shutdown")

    def wake_up(self) -> None:
        """See Sleep."""
        self._machine.require(MachineState.ASLEEP, "waking")
        self._machine.become(MachineState.RUNNING, EventKind.AWAKE)


class FakeNmi:
    """See NonMaskableInterrupt."""

    def __init__(self, machine: FakeMachine) -> None:
        self._machine = machine

    def inject(self) -> None:
        """See NonMaskableInterrupt."""
        self._machine.require(MachineState.RUNNING, "injecting an NMI into")


class FakeSnapshots:
    """See Snapshots."""

    def __init__(self, machine: FakeMachine) -> None:
        self._machine = machine
        self._with_memory: dict[str, bool] = {}

    def take(self, name: str) -> None:
        """See Snapshots."""
        self._with_memory[name] = self._machine.state() is MachineState.RUNNING

    def names(self) -> Sequence[str]:
        """See Snapshots."""
        return list(self._with_memory)

    def revert(self, name: str, *, paused: bool = False) -> None:
        """See Snapshots."""
        self._require(name)
        self._machine.power_off()
        if self._with_memory[name]:
            state = MachineState.PAUSED if paused else MachineState.RUNNING
            self._machine.become(state, EventKind.STARTED)

    def remove(self, name: str) -> None:
        """See Snapshots."""
        self._require(name)
        del self._with_memory[name]

    def _require(self, name: str) -> None:
        if name not in self._with_memory:
            raise HypervisorError(f"{self._machine.name} has no snapshot {name}")


class FakeSavedStates:
    """See SavedStates."""

    def __init__(self, machine: FakeMachine) -> None:
        self._machine = machine

    def save(self, state_file: Path) -> None:
        """See SavedStates."""
        self._machine.require(MachineState.RUNNING, "saving")
        state_file.write_text(self._machine.name, encoding="utf-8")
        self._machine.become(MachineState.OFF, EventKind.STOPPED, "saved")

    def restore(self, state_file: Path, *, paused: bool = False) -> None:
        """See SavedStates."""
        self._machine.require(MachineState.OFF, "restoring")
        if not state_file.exists():
            raise HypervisorError(f"restoring {self._machine.name}: {state_file} does not exist")
        state = MachineState.PAUSED if paused else MachineState.RUNNING
        self._machine.become(state, EventKind.STARTED)


class FakeConsole:
    """See SerialConsole. The guest's end is the machine's `guest_end`."""

    def __init__(self, machine: FakeMachine) -> None:
        self._machine = machine

    def open(self) -> socket.socket:
        """See SerialConsole."""
        self._machine.hang_up()
        local, self._machine.guest_end = socket.socketpair()
        return local


class FakeAgentTransport:
    """See AgentTransport. The machine's `agent` answers."""

    def __init__(self, machine: FakeMachine) -> None:
        self._machine = machine

    def command(self, command: str, *, timeout: float) -> str:
        """See AgentTransport."""
        if self._machine.state() is not MachineState.RUNNING:
            raise ChannelError(f"{self._machine.name} is {self._machine.state()}")
        return json.dumps({"return": self._machine.agent(json.loads(command))})


class FakeKeyboard:
    """See Keyboard. The machine records the keys."""

    def __init__(self, machine: FakeMachine) -> None:
        self._machine = machine

    def press(self, key: Key) -> None:
        """See Keyboard."""
        self._machine.require(MachineState.RUNNING, "pressing a key of")
        self._machine.press(key)


class FakeNicMove:
    """See NicMove."""

    def __init__(self, machine: FakeMachine) -> None:
        self._machine = machine

    def move(self, mac: str, network: str) -> None:
        """See NicMove."""
        if mac not in [nic.mac for nic in self._machine.definition.nics]:
            raise HypervisorError(f"{self._machine.name} has no network card {mac}")


class FakeCpuModels:
    """See CpuModels. The fake has one model."""

    def __init__(self, _hypervisor: object) -> None:
        pass

    def flags(self, model: str, machine_type: str, accelerator: Accelerator) -> set[str]:
        """See CpuModels."""
        if model != "kvm64":
            raise HypervisorError(f"unknown processor model {model}")
        return {"lm", "sse2"}


MACHINE_FACETS: tuple[Binding[FakeMachine], ...] = (
    bind(AGENT, FakeAgentTransport),
    bind(CONSOLE, FakeConsole),
    bind(KEYBOARD, FakeKeyboard),
    bind(NIC_MOVE, FakeNicMove),
    bind(NMI, FakeNmi),
    bind(POWER_BUTTON, FakePowerButton),
    bind(POWER_SERVICE, FakePowerService),
    bind(SAVED_STATES, FakeSavedStates),
    bind(SLEEP, FakeSleep),
    bind(SNAPSHOTS, FakeSnapshots),
)
