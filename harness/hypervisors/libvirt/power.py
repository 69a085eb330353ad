"""Requests to the guest, sleep and NMI through libvirt."""

from __future__ import annotations

import libvirt

from harness.hypervisors.facets.power import SleepState
from harness.hypervisors.libvirt.domain import Domain
from harness.hypervisors.libvirt.errors import translate_agent_error, wrap_errors

SLEEP_TARGETS = {
    SleepState.S3: libvirt.VIR_NODE_SUSPEND_TARGET_MEM,
    SleepState.S4: libvirt.VIR_NODE_SUSPEND_TARGET_DISK,
}


class LibvirtPowerButton:
    """See PowerRequests. By ACPI."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def shutdown(self) -> None:
        """See PowerRequests."""
        with wrap_errors(f"asking {self._domain.name} to shut down by acpi"):
            self._domain.handle.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)

    def reboot(self) -> None:
        """See PowerRequests."""
        with wrap_errors(f"asking {self._domain.name} to reboot by acpi"):
            self._domain.handle.reboot(libvirt.VIR_DOMAIN_REBOOT_ACPI_POWER_BTN)


class LibvirtAgentPower:
    """See PowerRequests. Through the guest agent."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def shutdown(self) -> None:
        """See PowerRequests."""
        with wrap_errors(f"asking {self._domain.name} to shut down by agent"):
            self._domain.handle.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)

    def reboot(self) -> None:
        """See PowerRequests."""
        with wrap_errors(f"asking {self._domain.name} to reboot by agent"):
            self._domain.handle.reboot(libvirt.VIR_DOMAIN_REBOOT_GUEST_AGENT)


class LibvirtSleep:
    """See Sleep. The guest agent puts the guest to sleep."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def sleep(self, state: SleepState) -> None:
        """See Sleep."""
        try:
            self._domain.handle.pMSuspendForDuration(SLEEP_TARGETS[state], 0)
        except libvirt.libvirtError as error:
            doing = f"the guest agent of {self._domain.name}"
            raise translate_agent_error(doing, error) from error

    def wake_up(self) -> None:
        """See Sleep."""
        with wrap_errors(f"waking {self._domain.name}"):
            self._domain.handle.pMWakeup()


class LibvirtNmi:
    """See NonMaskableInterrupt."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def inject(self) -> None:
        """See NonMaskableInterrupt."""
        with wrap_errors(f"injecting an NMI into {self._domain.name}"):
            self._domain.handle.injectNMI()
