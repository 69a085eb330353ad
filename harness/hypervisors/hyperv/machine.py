"""One machine on Hyper-V."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, TypeVar

from harness.events import EventLog
from harness.hypervisors.base import MachineState
from harness.hypervisors.capabilities import Binding, Facet, Facets, MachineFacet
from harness.hypervisors.definitions import MachineDefinition
from harness.hypervisors.hyperv.host_machine import HostMachine
from harness.hypervisors.hyperv.migration import MOVE_SECONDS

F = TypeVar("F")

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

LOG_LINES = 200


class HypervMachine:
    """See Machine."""

    def __init__(self, machine: HostMachine, facets: Collection[Binding[HostMachine]]) -> None:
        self._machine = machine
        self._events = machine.watcher.log_of(machine.name)
        self._facets = Facets(machine, facets)

    @property
    def name(self) -> str:
        """See Machine."""
        return self._machine.name

    @property
    def definition(self) -> MachineDefinition:
        """See Machine."""
        return self._machine.definition

    @property
    def events(self) -> EventLog:
        """See Machine."""
        return self._events

    @property
    def facets(self) -> frozenset[Facet[Any]]:
        """See Machine."""
        return self._facets.tokens

    def facet(self, facet: MachineFacet[F]) -> F:
        """See Machine."""
        return self._facets.get(facet)

    def seconds_starved(self) -> float:
        """See Machine. Hyper-V counts waits per dispatch and over the host alone."""
        return 0.0

    def state(self) -> MachineState:
        """See Machine."""
        return STATES.get(self._machine.host_state(), MachineState.CRASHED)

    def start(self, *, paused: bool = False) -> None:
        """See Machine. Hyper-V cannot start a machine paused: it pauses it right after."""
        self._machine.do("Start-Machine", "starting", Paused=paused)

    def pause(self) -> None:
        """See Machine."""
        self._machine.do("Suspend-Machine", "pausing")

    def resume(self) -> None:
        """See Machine."""
        self._machine.do("Resume-Machine", "resuming")

    def reset(self) -> None:
        """See Machine."""
        self._machine.do("Reset-Machine", "resetting")

    def power_off(self) -> None:
        """See Machine."""
        self._machine.do("Stop-Machine", "powering off")

    def remove(self) -> None:
        """See Machine."""
        folder = self._machine.folders.machine(self.name)
        self._machine.do("Remove-Machine", "removing", Folder=folder)

    def description(self) -> str:
        """See Machine."""
        answer = self._machine.do("Get-Machine", "reading the settings of")
        return json.dumps(answer, indent=2)

    def hypervisor_log(self) -> str:
        """See Machine."""
        doing = f"reading Hyper-V's log of {self.name}"
        answer = self._machine.run("Get-Log", doing, Id=self._machine.identifier, Count=LOG_LINES)
        return "\n".join(str(line) for line in reversed(answer["lines"]))

    def leave_for(self, host: str, folder: str) -> str:
        """Move to another host, into a folder there; returns Hyper-V's id, which does not change.

        Raises HypervisorError where a host refuses; the machine is then unchanged.
        """
        doing = f"moving to {host}"
        self._machine.do(
            "Move-Machine", doing, seconds=MOVE_SECONDS, Destination=host, Folder=folder
        )
        self.remove()  # the remains of its folder here
        return self._machine.identifier
