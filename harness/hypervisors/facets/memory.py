"""Memory of a machine, static or dynamic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from harness.hypervisors.capabilities import MachineFacet
from harness.hypervisors.definitions import DynamicMemory


@dataclass(frozen=True)
class MemoryFacts:
    """A machine's memory in MiB, as the host reports it."""

    dynamic: bool
    startup: int
    minimum: int
    maximum: int
    assigned: int
    demand: int


class Memory(Protocol):
    """Memory of one machine. Every method raises HypervisorError."""

    def facts(self) -> MemoryFacts:
        """The machine's memory now."""
        ...

    def resize(self, startup_mib: int | None = None, limits: DynamicMemory | None = None) -> None:
        """Change the amount of static memory, or the limits of dynamic memory."""
        ...


MEMORY = MachineFacet[Memory]("memory")
