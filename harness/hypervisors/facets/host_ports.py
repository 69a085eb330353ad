"""Ports of the hypervisor's host that guests of a network reach, besides DHCP and DNS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from harness.errors import HypervisorError
from harness.hypervisors.base import Network
from harness.hypervisors.capabilities import Capability

HOST_PORTS = Capability("host-ports")
"""The host, on which guestcert runs, is closed to guests."""


class HostPorts(Protocol):
    """The ports of one network."""

    def open(self, ports: Sequence[int]) -> None:
        """Let guests reach exactly these ports, by TCP and UDP at the gateway's address.

        Raises HypervisorError where the host's packet filter refuses.
        """
        ...


@runtime_checkable
class HasHostPorts(Protocol):
    """A network whose host is closed to its guests."""

    @property
    def host_ports(self) -> HostPorts:
        """The open ports."""
        ...


def host_ports_of(network: Network) -> HostPorts:
    """The ports of a network; raises HypervisorError where the host is not closed to guests."""
    if isinstance(network, HasHostPorts):
        return network.host_ports
    raise HypervisorError(f"the hypervisor does not close its host to the guests of {network.name}")
