"""In-memory hypervisor: machines change state and report events, but execute nothing."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from harness.errors import ChannelError, HypervisorError
from harness.events import EventKind, EventLog
from harness.hypervisors.base import (
    NAME_PREFIX,
    HypervisorFacts,
    Machine,
    MachineState,
    Network,
    Owned,
)
from harness.hypervisors.capabilities import (
    GENERATION_ID,
    NETWORK,
    NVME,
    QEMU_DEVICES,
    SECURE_BOOT,
    TPM,
    UEFI,
    WATCHDOG,
    Binding,
    Capability,
    Facet,
    Facets,
    HypervisorFacet,
    MachineFacet,
    NetworkFacet,
    bind,
)
from harness.hypervisors.definitions import MachineDefinition, NetworkDefinition
from harness.hypervisors.facets.cpu_models import CPU_MODELS
from harness.hypervisors.facets.display import Key
from harness.hypervisors.leases import Lease, lease_for, utc_now
from tests.fakes.facets import MACHINE_FACETS, FakeCpuModels

F = TypeVar("F")

CAPABILITIES: frozenset[Capability] = frozenset(
    {
        CPU_MODELS,
        GENERATION_ID,
        NETWORK,
        NVME,
        QEMU_DEVICES,
        SECURE_BOOT,
        TPM,
        UEFI,
        WATCHDOG,
        *(binding.facet for binding in MACHINE_FACETS),
    }
)
"""Without RUN: the fake executes no guest code."""

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
    lacking: frozenset[Facet[Any]] = frozenset()
    _state: MachineState = MachineState.OFF

    FACETS: ClassVar[Sequence[Binding[FakeMachine]]] = MACHINE_FACETS

    def __post_init__(self) -> None:
        self._facets = Facets(self, [b for b in self.FACETS if b.facet not in self.lacking])

    @property
    def facets(self) -> frozenset[Facet[Any]]:
        """See Machine."""
        return self._facets.tokens

    def facet(self, facet: MachineFacet[F]) -> F:
        """See Machine."""
        return self._facets.get(facet)

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
        self.require(MachineState.OFF, "starting")
        self.become(MachineState.PAUSED if paused else MachineState.RUNNING, EventKind.STARTED)

    def pause(self) -> None:
        """See Machine."""
        self.require(MachineState.RUNNING, "pausing")
        self.become(MachineState.PAUSED, EventKind.PAUSED)

    def resume(self) -> None:
        """See Machine."""
        self.require(MachineState.PAUSED, "resuming")
        self.become(MachineState.RUNNING, EventKind.RESUMED)

    def reset(self) -> None:
        """See Machine."""
        self.require(MachineState.RUNNING, "resetting")
        self.events.add(EventKind.REBOOT)

    def power_off(self) -> None:
        """See Machine."""
        if self._state is not MachineState.OFF:
            self.become(MachineState.OFF, EventKind.STOPPED, "destroyed")

    def remove(self) -> None:
        """See Machine."""
        self.power_off()
        self.forget(self.name)

    def description(self) -> str:
        """See Machine."""
        cards = "".join(f"{nic.mac}: {nic.policy}\n" for nic in self.definition.nics)
        return f"<fake name='{self.name}'>\n{cards}</fake>"

    def hypervisor_log(self) -> str:
        """See Machine."""
        return ""

    def press(self, key: Key) -> None:
        """A key is pressed while the machine runs."""
        self.keys.append(key)

    def require(self, state: MachineState, doing: str) -> None:
        """Raise HypervisorError in any other state."""
        if self._state is not state:
            raise HypervisorError(f"{doing} {self.name}: it is {self._state}, not {state}")

    def hang_up(self) -> None:
        """Close the guest's end of the console."""
        if self.guest_end is not None:
            self.guest_end.close()
            self.guest_end = None

    def become(self, state: MachineState, kind: EventKind, detail: str = "") -> None:
        """Change to a state, and report it."""
        self._state = state
        if state is MachineState.OFF:
            self.hang_up()
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

    def facet(self, facet: NetworkFacet[F]) -> F:
        """See Network."""
        return Facets(self, ()).get(facet)

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

    def facet(self, facet: HypervisorFacet[F]) -> F:
        """See Hypervisor."""
        return Facets(self, (bind(CPU_MODELS, FakeCpuModels),)).get(facet)

    def facts(self) -> HypervisorFacts:
        """See Hypervisor."""
        return HypervisorFacts("fake", "1")

    def define(self, definition: MachineDefinition) -> Machine:
        """See Hypervisor."""
        _guard(definition.name)
        self.defined.append(definition)
        events = EventLog()
        if definition.name in self.machines:
            events = self.machines[definition.name].events
            self.machines[definition.name].power_off()
        lacking = {binding.facet for binding in MACHINE_FACETS} - self.capabilities
        machine = FakeMachine(
            definition, events, self._forget_machine, self.agent, lacking=frozenset(lacking)
        )
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
