"""Choice of a guest's integration services, by its hypervisor."""

from __future__ import annotations

from harness.guests.guest import Guest
from harness.hypervisors.facets.host_services import HOST_SERVICES
from harness.integration.contract import IntegrationServices
from harness.integration.hyperv import HypervServices
from harness.integration.qemu import QemuServices


def services_of(guest: Guest) -> IntegrationServices:
    """The integration services of a guest, as its hypervisor implements them."""
    machine = guest.machine
    if HOST_SERVICES in machine.facets:
        return HypervServices(guest, machine.facet(HOST_SERVICES))
    return QemuServices.of(guest)
