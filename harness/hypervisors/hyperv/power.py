"""Hyper-V's shutdown service, and the NMI."""

from __future__ import annotations

from harness.errors import ChannelError
from harness.hypervisors.facets.host_services import ServiceName
from harness.hypervisors.hyperv.errors import HostRefusalError
from harness.hypervisors.hyperv.host_machine import HostMachine
from harness.hypervisors.hyperv.services import IDS


class HypervShutdownService:
    """See PowerRequests. Raises ChannelError where the shutdown service is unavailable."""

    def __init__(self, machine: HostMachine) -> None:
        self._machine = machine

    def shutdown(self) -> None:
        """See PowerRequests."""
        self._request("InitiateShutdown", "shut down")

    def reboot(self) -> None:
        """See PowerRequests."""
        self._request("InitiateReboot", "reboot")

    def _request(self, method: str, verb: str) -> None:
        name, service = self._machine.name, IDS[ServiceName.SHUTDOWN]
        doing = f"asking {name} to {verb}"
        try:
            self._machine.run("Request-Power", doing, Name=name, Method=method, Service=service)
        except HostRefusalError as error:
            raise ChannelError(error.sentence, remedy=error.remedy) from error


class HypervNmi:
    """See NonMaskableInterrupt."""

    def __init__(self, machine: HostMachine) -> None:
        self._machine = machine

    def inject(self) -> None:
        """See NonMaskableInterrupt."""
        self._machine.do("Send-Nmi", "injecting an NMI into")
