"""Power: requests to the guest, sleep, and the non-maskable interrupt."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from harness.hypervisors.capabilities import MachineFacet


class PowerRequests(Protocol):
    """Requests to the guest, which it may ignore."""

    def shutdown(self) -> None:
        """Ask the guest to power off; returns once asked. Proof is the STOPPED event."""
        ...

    def reboot(self) -> None:
        """Ask the guest to reboot; returns once asked."""
        ...


POWER_BUTTON = MachineFacet[PowerRequests]("power-button")
"""Requests by ACPI."""

POWER_SERVICE = MachineFacet[PowerRequests]("power-service")
"""Requests through a service in the guest: QEMU's agent, or Hyper-V's shutdown service.

They raise ChannelError where the service does not answer.
"""


class SleepState(StrEnum):
    """A guest's sleep state, by ACPI's names."""

    S3 = "s3"  # suspend to memory
    S4 = "s4"  # suspend to disk; the machine is off


class Sleep(Protocol):
    """Sleep of a guest."""

    def sleep(self, state: SleepState) -> None:
        """Ask the guest to sleep; returns once asked. Proof is the ASLEEP or STOPPED event.

        Raises ChannelError where the guest's agent does not answer.
        """
        ...

    def wake_up(self) -> None:
        """Wake a guest from S3."""
        ...


SLEEP = MachineFacet[Sleep]("sleep")


class NonMaskableInterrupt(Protocol):
    """The non-maskable interrupt."""

    def inject(self) -> None:
        """Send one to the guest."""
        ...


NMI = MachineFacet[NonMaskableInterrupt]("nmi")
