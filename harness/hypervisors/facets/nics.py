"""Hot-plug of network cards."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from harness.hypervisors.base import Machine
from harness.hypervisors.capabilities import Capability
from harness.hypervisors.definitions import NicDefinition

NIC_MOVE = Capability("nic-move")
"""A running machine's NIC can move to another network."""


@runtime_checkable
class HotPlug(Protocol):
    """A machine that takes network cards, running or not; its definition follows.

    Every method raises HypervisorError, also where this machine cannot change while it runs.
    """

    def plug_nic(self, nic: NicDefinition) -> None:
        """Add a network card with a new MAC address."""
        ...

    def unplug_nic(self, mac: str) -> None:
        """Remove a network card."""
        ...


def hot_plug_of(machine: Machine) -> HotPlug | None:
    """The machine as one with hot-plug; None where it has none."""
    return machine if isinstance(machine, HotPlug) else None
