"""What a machine uses of its host, as the hypervisor meters it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from harness.hypervisors.base import Machine


@dataclass(frozen=True)
class Usage:
    """What was metered since the beginning, or since the last reset, with averages over that.

    Memory, disks and traffic are in MiB, processors in MHz, `seconds` says over how long. A figure
    that the host has not gathered yet is None.
    """

    seconds: float | None
    processor_mhz: int | None
    memory_average: int | None
    memory_minimum: int | None
    memory_maximum: int | None
    disk_allocated: int | None  # the size that the disks may grow to
    disk_read: int | None
    disk_written: int | None
    received: int
    sent: int


class Metering(Protocol):
    """The meter of one machine. Every method raises HypervisorError."""

    def start(self) -> None:
        """Meter from now on; what was gathered before stays."""
        ...

    def usage(self) -> Usage | None:
        """The figures until now; None where nothing is metered."""
        ...

    def reset(self) -> None:
        """Count from nothing again. Refused where nothing is metered."""
        ...

    def stop(self) -> None:
        """Meter no more, and forget what was gathered."""
        ...


@runtime_checkable
class HasMetering(Protocol):
    """A machine whose hypervisor meters what it uses."""

    @property
    def metering(self) -> Metering:
        """Its meter."""
        ...


def metering_of(machine: Machine) -> Metering | None:
    """A machine's meter; None where the hypervisor has none."""
    return machine.metering if isinstance(machine, HasMetering) else None
