"""Ports of the hypervisor's host that guests of a network reach, besides DHCP and DNS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from harness.hypervisors.capabilities import NetworkFacet


class HostPorts(Protocol):
    """The ports of one network, whose host is closed to its guests otherwise."""

    def open(self, ports: Sequence[int]) -> None:
        """Let guests reach exactly these ports, by TCP and UDP at the gateway's address.

        Raises HypervisorError where the host's packet filter refuses.
        """
        ...


HOST_PORTS = NetworkFacet[HostPorts]("host-ports")
"""The host, on which guestcert runs, is closed to guests."""
