"""What a machine's processors are doing, of a guest that says nothing any more."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from harness.hypervisors.base import Machine


@runtime_checkable
class ShowsProcessors(Protocol):
    """A machine whose processors can be looked at from outside."""

    def processors(self) -> str:
        """Registers and the next instructions, in the hypervisor's words.

        Without vector registers: in them stand pieces of the guest's memory, a password perhaps.
        Raises HypervisorError, also where the machine is off.
        """
        ...


def shown_processors_of(machine: Machine) -> ShowsProcessors | None:
    """The machine, as one that shows its processors; None where it can't."""
    return machine if isinstance(machine, ShowsProcessors) else None
