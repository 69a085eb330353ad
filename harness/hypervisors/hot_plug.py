"""What is added to a machine, and taken from it, while it runs."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from harness.hypervisors.base import Machine
from harness.hypervisors.definitions import NicDefinition


@runtime_checkable
class HotPlug(Protocol):
    """A machine that is given network cards, running or not; its definition follows.

    Every method raises HypervisorError, also where this machine can't be changed while it runs.
    """

    def plug_nic(self, nic: NicDefinition) -> None:
        """Give the machine a network card that it has not."""
        ...

    def unplug_nic(self, mac: str) -> None:
        """Take a network card away."""
        ...


def hot_plug_of(machine: Machine) -> HotPlug | None:
    """The machine, as one that is given network cards; None where it can't be."""
    return machine if isinstance(machine, HotPlug) else None
