"""Memory of a machine on Hyper-V."""

from __future__ import annotations

from harness.hypervisors.definitions import DynamicMemory
from harness.hypervisors.facets.memory import MemoryFacts
from harness.hypervisors.hyperv.host_machine import HostMachine


class HypervMemory:
    """See Memory."""

    def __init__(self, machine: HostMachine) -> None:
        self._machine = machine

    def facts(self) -> MemoryFacts:
        """See Memory."""
        answer = self._machine.do("Get-Memory", "reading the memory of")
        return MemoryFacts(
            dynamic=bool(answer["dynamic"]),
            startup=int(answer["startup_mib"]),
            minimum=int(answer["minimum_mib"]),
            maximum=int(answer["maximum_mib"]),
            assigned=int(answer["assigned_mib"]),
            demand=int(answer["require_mib"]),
        )

    def resize(self, startup_mib: int | None = None, limits: DynamicMemory | None = None) -> None:
        """See Memory."""
        self._machine.do(
            "Set-Memory",
            "resizing the memory of",
            StartupMib=startup_mib,
            MinimumMib=limits.minimum_mib if limits else None,
            MaximumMib=limits.maximum_mib if limits else None,
        )
