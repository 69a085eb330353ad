"""Integration services on Hyper-V: its own, each with a side on the host that switches it."""

from __future__ import annotations

from harness.errors import NotApplicable
from harness.guests.guest import Guest
from harness.hypervisors.facets.host_services import HostServices, ServiceName
from harness.integration.common import PolledHeartbeat, RequestedShutdown, SwitchedService
from harness.integration.contract import Execution


class HostService(SwitchedService):
    """A service with a side on the host."""

    name: ServiceName

    def __init__(self, guest: Guest, host: HostServices) -> None:
        super().__init__(guest)
        self._host = host

    def _answers(self) -> bool:
        return self._host.states()[self.name].answers

    def _control(self, *, on: bool) -> None:
        self._host.switch(self.name, on=on)


class HostHeartbeat(HostService, PolledHeartbeat):
    """The host's heartbeat service. See Heartbeat."""

    name = ServiceName.HEARTBEAT


class HostShutdown(HostService, RequestedShutdown):
    """The host's shutdown service. See Shutdown."""

    name = ServiceName.SHUTDOWN


class HypervServices:
    """The services of a guest on Hyper-V. See IntegrationServices."""

    def __init__(self, guest: Guest, host: HostServices) -> None:
        self.heartbeat = HostHeartbeat(guest, host)
        self.shutdown = HostShutdown(guest, host)

    @property
    def exec(self) -> Execution:
        """Hyper-V has none: PowerShell Direct is a channel and not an integration service."""
        raise NotApplicable("the hypervisor has no service that runs commands in a guest")
