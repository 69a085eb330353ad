"""Processor state of a machine whose guest no longer responds."""

from __future__ import annotations

from typing import Protocol

from harness.hypervisors.capabilities import MachineFacet


class Processors(Protocol):
    """A machine's processors, inspected from outside."""

    def state(self) -> str:
        """Registers and the next instructions, as the hypervisor prints them.

        Without vector registers: they hold pieces of the guest's memory, a password perhaps.
        Raises HypervisorError, also where the machine is off.
        """
        ...


PROCESSORS = MachineFacet[Processors]("processors")
