"""Hyper-V's checkpoints, and saved states on the host."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from harness.errors import HypervisorError
from harness.hypervisors.hyperv.definition import guard, notes_of
from harness.hypervisors.hyperv.host_machine import HostMachine

STANDARD, PRODUCTION = "Standard", "ProductionOnly"
"""Kinds of checkpoints: with the memory of a running machine, or of disks that it quiesced."""

CHECKPOINT_SECONDS = 600.0

SAVE_SECONDS = 1800.0
"""Saving and restoring copy the machine's disks on the host."""


class HypervSnapshots:
    """See Snapshots. Standard checkpoints."""

    def __init__(self, machine: HostMachine) -> None:
        self._machine = machine

    def take(self, name: str) -> None:
        """See Snapshots."""
        _take(self._machine, name, "standard", STANDARD)

    def names(self) -> Sequence[str]:
        """See Snapshots."""
        answer = self._machine.do("Get-Checkpoints", "listing the checkpoints of")
        return [str(name) for name in answer["names"]]

    def revert(self, name: str, *, paused: bool = False) -> None:
        """See Snapshots. The checkpoint's memory is a saved state, which is then started."""
        machine = self._machine
        doing = f"restoring the checkpoint {name!r} of"
        machine.do("Restore-Checkpoint", doing, seconds=CHECKPOINT_SECONDS, Checkpoint=name)
        if machine.host_state() == "Saved":
            doing = f"continuing from the checkpoint {name!r} of"
            machine.do("Start-Machine", doing, Paused=paused)

    def remove(self, name: str) -> None:
        """See Snapshots."""
        doing = f"removing the checkpoint {name!r} of"
        self._machine.do("Remove-Checkpoint", doing, Checkpoint=name)


class HypervProductionSnapshots:
    """See ProductionSnapshots. Production checkpoints."""

    def __init__(self, machine: HostMachine) -> None:
        self._machine = machine

    def take(self, name: str) -> None:
        """See ProductionSnapshots."""
        _take(self._machine, name, "production", PRODUCTION)


class HypervSavedStates:
    """See SavedStates. The state stays on the host: the state file only names it."""

    def __init__(self, machine: HostMachine) -> None:
        self._machine = machine

    def save(self, state_file: Path) -> None:
        """See SavedStates."""
        machine = self._machine
        machine.watcher.saving(machine.name)
        machine.do(
            "Save-Machine",
            "saving",
            seconds=SAVE_SECONDS,
            Folder=machine.folders.state(machine.name),
            Notes=notes_of(machine.definition.owner),
        )
        state_file.write_text(json.dumps({"hyperv_state": machine.name}), encoding="utf-8")

    def restore(self, state_file: Path, *, paused: bool = False) -> None:
        """See SavedStates. The disks are those of the state: they were copied with it."""
        machine = self._machine
        machine.do(
            "Restore-Machine",
            "restoring",
            seconds=SAVE_SECONDS,
            Source=machine.folders.state(self._saved_in(state_file)),
            Folder=machine.folders.machine(machine.name),
            Notes=notes_of(machine.definition.owner),
            Paused=paused,
        )

    def _saved_in(self, state_file: Path) -> str:
        try:
            name = json.loads(state_file.read_text(encoding="utf-8"))["hyperv_state"]
            guard(name)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise HypervisorError(
                f"restoring {self._machine.name}: {state_file} does not name a saved state on "
                "the host"
            ) from error
        return str(name)


def _take(machine: HostMachine, name: str, kind: str, parameter: str) -> None:
    machine.do(
        "New-Checkpoint",
        f"taking the {kind} checkpoint {name!r} of",
        seconds=CHECKPOINT_SECONDS,
        Checkpoint=name,
        Kind=parameter,
    )
