"""Processor state of a machine whose guest no longer responds."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from harness.hypervisors.base import Machine


@runtime_checkable
class ShowsProcessors(Protocol):
    """A machine whose processors can be inspected from outside."""

    def processors(self) -> str:
        """Registers and the next instructions, as the hypervisor prints them.

        Without vector registers: they hold pieces of the guest's memory, a password perhaps.
        Raises HypervisorError, also where the machine is off.
        """
        ...


def shown_processors_of(machine: Machine) -> ShowsProcessors | None:
    """The machine as one that shows its processors; None where it does not."""
    return machine if isinstance(machine, ShowsProcessors) else None
