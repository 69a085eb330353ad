"""Moving and hot-plug of network cards."""

from __future__ import annotations

from typing import Protocol

from harness.hypervisors.capabilities import MachineFacet
from harness.hypervisors.definitions import NicDefinition


class NicMove(Protocol):
    """Moving a running machine's NICs."""

    def move(self, mac: str, network: str) -> None:
        """Plug a NIC into another network that guestcert owns."""
        ...


NIC_MOVE = MachineFacet[NicMove]("nic-move")


class HotPlug(Protocol):
    """Adding and removing network cards, running or not; the machine's definition follows.

    Every method raises HypervisorError, also where this machine cannot change while it runs.
    """

    def plug(self, nic: NicDefinition) -> None:
        """Add a network card with a new MAC address."""
        ...

    def unplug(self, mac: str) -> None:
        """Remove a network card."""
        ...


HOT_PLUG = MachineFacet[HotPlug]("hot-plug")
