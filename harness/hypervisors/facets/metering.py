"""Resource metering of a machine by its hypervisor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from harness.hypervisors.capabilities import MachineFacet


@dataclass(frozen=True)
class Usage:
    """Metered usage since metering started, or since the last reset, with averages over that time.

    Memory, disks and traffic are in MiB, processors in MHz, `seconds` is the metered time. A figure
    that the host has not collected yet is None.
    """

    seconds: float | None
    processor_mhz: int | None
    memory_average: int | None
    memory_minimum: int | None
    memory_maximum: int | None
    disk_allocated: int | None  # the maximum size of the disks
    disk_read: int | None
    disk_written: int | None
    received: int
    sent: int


class Metering(Protocol):
    """The meter of one machine. Every method raises HypervisorError."""

    def start(self) -> None:
        """Start metering; figures collected before stay."""
        ...

    def usage(self) -> Usage | None:
        """The figures so far; None where nothing is metered."""
        ...

    def reset(self) -> None:
        """Reset the figures to zero. Refused where nothing is metered."""
        ...

    def stop(self) -> None:
        """Stop metering, and discard the figures."""
        ...


METERING = MachineFacet[Metering]("metering")
