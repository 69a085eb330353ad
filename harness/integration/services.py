"""Choice of a guest's integration services, by its hypervisor."""

from __future__ import annotations

from harness.guests.guest import Guest
from harness.hypervisors.facets.host_services import host_services_of
from harness.integration.contract import IntegrationServices
from harness.integration.hyperv import HypervServices
from harness.integration.qemu import QemuServices


def services_of(guest: Guest) -> IntegrationServices:
    """The integration services of a guest, as its hypervisor implements them."""
    host = host_services_of(guest.machine)
    return QemuServices.of(guest) if host is None else HypervServices(guest, host)
