"""In-memory hypervisor: machines change state and report events, but execute nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from harness.errors import ChannelError, HypervisorError
from harness.events import EventKind, EventLog
from harness.hypervisors.base import (
    NAME_PREFIX,
    HypervisorFacts,
    Key,
    Machine,
    MachineState,
    Network,
    Owned,
    PowerMethod,
    SleepState,
)
from harness.hypervisors.capabilities import (
    GENERATION_ID,
    NETWORK,
    NVME,
    PAUSE,
    QEMU_DEVICES,
    RESET,
    SECURE_BOOT,
    TPM,
    UEFI,
    UEFI_SNAPSHOT,
    WATCHDOG,
    Capability,
)
from harness.hypervisors.definitions import Accelerator, MachineDefinition, NetworkDefinition
from harness.hypervisors.facets.agent import AGENT
from harness.hypervisors.facets.console import CONSOLE
from harness.hypervisors.facets.cpu_models import CPU_MODELS
from harness.hypervisors.facets.display import DISPLAY, KEYBOARD
from harness.hypervisors.facets.nics import NIC_MOVE
from harness.hypervisors.facets.power import NMI, POWER_BUTTON, SLEEP
from harness.hypervisors.facets.snapshots import SAVED_STATES, SNAPSHOTS
from harness.hypervisors.leases import Lease, lease_for, utc_now

CAPABILITIES = frozenset(
    {
        UEFI,
        SECURE_BOOT,
        TPM,
        PAUSE,
        RESET,
        SAVED_STATES,
        CONSOLE,
        AGENT,
        DISPLAY,
        KEYBOARD,
        NETWORK,
        WATCHDOG,
        NMI,
        QEMU_DEVICES,
        NVME,
        SNAPSHOTS,
        UEFI_SNAPSHOT,
        SLEEP,
        CPU_MODELS,
        GENERATION_ID,
        NIC_MOVE,
        POWER_BUTTON,
    }
)

Agent = Callable[[dict[str, object]], object]
"""Answers one agent command: returns the value of `return`, or raises ChannelError."""


def silent_agent(_command: dict[str, object]) -> object:
    """A missing agent."""
    raise ChannelError("the fake guest has no agent")


def willing_agent(command: dict[str, object]) -> object:
    """An agent in whose guest every program succeeds and prints `running`, as systemd would."""
    if command["execute"] == "guest-exec":
        return {"pid": 1}
    if command["execute"] == "guest-exec-status":
        return {"exited": True, "exitcode": 0, "out-data": "cnVubmluZwo="}
    return {}


@dataclass
class FakeMachine:
    """See Machine. A test sets `agent`, and writes the guest's output to `guest_end`."""

    definition: MachineDefinition
    events: EventLog
    forget: Callable[[str], None]
    agent: Agent = silent_agent
    guest_end: socket.socket | None = None
    keys: list[Key] = field(default_factory=list)
    snapshots: list[str] = field(default_factory=list)
    _state: MachineState = MachineState.OFF

    @property
    def name(self) -> str:
        """See Machine."""
        return self.definition.name

    def state(self) -> MachineState:
        """See Machine."""
        return self._state

    def seconds_starved(self) -> float:
        """See Machine."""
        return 0.0

    def start(self, *, paused: bool = False) -> None:
        """See Machine."""
        self._require(MachineState.OFF, "starting")
        self._become(MachineState.PAUSED if paused else MachineState.RUNNING, EventKind.STARTED)

    def pause(self) -> None:
        """See Machine."""
        self._require(MachineState.RUNNING, "pausing")
        self._become(MachineState.PAUSED, EventKind.PAUSED)

    def resume(self) -> None:
        """See Machine."""
        self._require(MachineState.PAUSED, "resuming")
        self._become(MachineState.RUNNING, EventKind.RESUMED)

    def shutdown(self, method: PowerMethod) -> None:
        """See Machine. The fake guest obeys at once."""
        self._require(MachineState.RUNNING, "shutting down")
        if method is PowerMethod.AGENT:
            self.agent({"execute": "guest-shutdown"})
        self.events.add(EventKind.SHUTDOWN)
        self._become(MachineState.OFF, EventKind.STOPPED, "shutdown")

    def reboot(self, method: PowerMethod) -> None:
        """See Machine."""
        self._require(MachineState.RUNNING, "rebooting")
        if method is PowerMethod.AGENT:
            self.agent({"execute": "guest-shutdown"})
        self.events.add(EventKind.REBOOT)

    def reset(self) -> None:
        """See Machine."""
        self._require(MachineState.RUNNING, "resetting")
        self.events.add(EventKind.REBOOT)

    def inject_nmi(self) -> None:
        """See Machine."""
        self._require(MachineState.RUNNING, "injecting an NMI into")

    def power_off(self) -> None:
        """See Machine."""
        if self._state is not MachineState.OFF:
            self._become(MachineState.OFF, EventKind.STOPPED, "destroyed")

    def save(self, state_file: Path) -> None:
        """See Machine."""
        self._require(MachineState.RUNNING, "saving")
        state_file.write_text(self.name, encoding="utf-8")
        self._become(MachineState.OFF, EventKind.STOPPED, "saved")

    def restore(self, state_file: Path, *, paused: bool = False) -> None:
        """See Machine."""
        self._require(MachineState.OFF, "restoring")
        if not state_file.exists():
            raise HypervisorError(f"restoring {self.name}: {state_file} does not exist")
        self._become(MachineState.PAUSED if paused else MachineState.RUNNING, EventKind.STARTED)

    def take_snapshot(self, name: str) -> None:
        """See Machine."""
        self._require(MachineState.RUNNING, "taking a snapshot of")
        self.snapshots.append(name)

    def revert(self, name: str, *, paused: bool = False) -> None:
        """See Machine."""
        if name not in self.snapshots:
            raise HypervisorError(f"{self.name} has no snapshot {name}")
        self.power_off()
        self._become(MachineState.PAUSED if paused else MachineState.RUNNING, EventKind.STARTED)

    def sleep(self, state: SleepState) -> None:
        """See Machine. The fake guest obeys at once."""
        self._require(MachineState.RUNNING, "putting to sleep")
        self.agent({"execute": "guest-suspend"})
        if state is SleepState.S3:
            self._become(MachineState.ASLEEP, EventKind.ASLEEP)
        else:
            self._become(MachineState.OFF, EventKind.STOPPED, "shutdown")

    def wake_up(self) -> None:
        """See Machine."""
        self._require(MachineState.ASLEEP, "waking")
        self._become(MachineState.RUNNING, EventKind.AWAKE)

    def remove(self) -> None:
        """See Machine."""
        self.power_off()
        self.forget(self.name)

    def open_console(self) -> socket.socket:
        """See Machine."""
        self._hang_up()
        ours, self.guest_end = socket.socketpair()
        return ours

    def agent_command(self, command: str, *, timeout: float) -> str:
        """See Machine."""
        if self._state is not MachineState.RUNNING:
            raise ChannelError(f"{self.name} is {self._state}")
        return json.dumps({"return": self.agent(json.loads(command))})

    def screenshot(self) -> bytes:
        """See Machine."""
        raise HypervisorError(f"{self.name} has no screen")

    def press_key(self, key: Key) -> None:
        """See Machine."""
        self._require(MachineState.RUNNING, "pressing a key of")
        self.keys.append(key)

    def description(self) -> str:
        """See Machine."""
        return f"<fake name='{self.name}'/>"

    def hypervisor_log(self) -> str:
        """See Machine."""
        return ""

    def move_nic(self, mac: str, network: str) -> None:
        """See Machine."""
        if mac not in [nic.mac for nic in self.definition.nics]:
            raise HypervisorError(f"{self.name} has no network card {mac}")

    def _require(self, state: MachineState, doing: str) -> None:
        if self._state is not state:
            raise HypervisorError(f"{doing} {self.name}: it is {self._state}, not {state}")

    def _hang_up(self) -> None:
        if self.guest_end is not None:
            self.guest_end.close()
            self.guest_end = None

    def _become(self, state: MachineState, kind: EventKind, detail: str = "") -> None:
        self._state = state
        if state is MachineState.OFF:
            self._hang_up()
        self.events.add(kind, detail)


@dataclass
class FakeNetwork:
    """See Network."""

    definition: NetworkDefinition
    forget: Callable[[str], None]

    @property
    def name(self) -> str:
        """See Network."""
        return self.definition.name

    def leases(self) -> Mapping[str, str]:
        """See Network."""
        return {}

    def remove(self) -> None:
        """See Network."""
        self.forget(self.name)


@dataclass
class FakeHypervisor:
    """See Hypervisor. `refuses`: the name of a resource whose removal fails."""

    uri: str = "fake:///"
    capabilities: frozenset[Capability] = CAPABILITIES
    refuses: str = ""
    agent: Agent = silent_agent
    machines: dict[str, FakeMachine] = field(default_factory=dict)
    defined: list[MachineDefinition] = field(default_factory=list)  # including removed ones
    networks: dict[str, FakeNetwork] = field(default_factory=dict)
    leases: dict[str, Lease | None] = field(default_factory=dict)  # by name; None: unreadable
    now: Callable[[], datetime] = utc_now

    def facts(self) -> HypervisorFacts:
        """See Hypervisor."""
        return HypervisorFacts("fake", "1")

    def processor_flags(self, model: str, machine_type: str, accelerator: Accelerator) -> set[str]:
        """See Hypervisor. The fake has one model."""
        if model != "kvm64":
            raise HypervisorError(f"unknown processor model {model}")
        return {"lm", "sse2"}

    def define(self, definition: MachineDefinition) -> Machine:
        """See Hypervisor."""
        _guard(definition.name)
        self.defined.append(definition)
        events = EventLog()
        if definition.name in self.machines:
            events = self.machines[definition.name].events
            self.machines[definition.name].power_off()
        machine = FakeMachine(definition, events, self._forget_machine, self.agent)
        self.machines[definition.name] = machine
        self.leases[definition.name] = lease_for(definition.owner, now=self.now())
        return machine

    def create_network(self, definition: NetworkDefinition) -> Network:
        """See Hypervisor."""
        _guard(definition.name)
        self.networks[definition.name] = FakeNetwork(definition, self._forget_network)
        self.leases[definition.name] = lease_for(definition.owner, now=self.now())
        return self.networks[definition.name]

    def taken_subnets(self) -> Sequence[str]:
        """See Hypervisor."""
        return [f"{n.definition.gateway}/{n.definition.prefix}" for n in self.networks.values()]

    def owned(self) -> Sequence[Owned]:
        """See Hypervisor."""
        found = [Owned("machine", name, self.leases[name]) for name in self.machines]
        return found + [Owned("network", name, self.leases[name]) for name in self.networks]

    def renew(self, owned: Owned) -> None:
        """See Hypervisor."""
        _guard(owned.name)
        assert owned.owner is not None, f"{owned.name} has no owner"
        if owned.name in self.leases:
            self.leases[owned.name] = lease_for(owned.owner, now=self.now())

    def remove(self, owned: Owned) -> None:
        """See Hypervisor."""
        _guard(owned.name)
        if owned.name == self.refuses:
            raise HypervisorError(f"removing {owned.name}: it is refused")
        (self._forget_machine if owned.kind == "machine" else self._forget_network)(owned.name)

    def close(self) -> None:
        """See Hypervisor."""

    def _forget_machine(self, name: str) -> None:
        self.machines.pop(name, None)
        self.leases.pop(name, None)

    def _forget_network(self, name: str) -> None:
        self.networks.pop(name, None)
        self.leases.pop(name, None)


def _guard(name: str) -> None:
    if not name.startswith(NAME_PREFIX):
        raise HypervisorError(
            f"guestcert does not own {name!r}: it does not begin with {NAME_PREFIX}"
        )
