"""isolation.network.host_services: a guest reaches only the intended services of its host."""

import pytest

from harness.guests.guest import Guest
from harness.hypervisors.capabilities import NETWORK
from harness.hypervisors.facets.host_ports import HOST_PORTS
from harness.lab.bench import Bench
from harness.oracles.control import control
from harness.plugin.markers import cost, feature, only_on, requires
from harness.profiles.model import System
from harness.workloads.host_listener import host_addresses, host_listener
from harness.workloads.traffic import Endpoint, reached_on_host

BROADCASTS = ("255.255.255.255", "224.0.0.1")
"""Addresses on which a listener on every address receives as well, by UDP."""


@feature("isolation.network.host_services")
@requires(NETWORK, HOST_PORTS)
@only_on(System.LINUX, because="its prober is a Python program that is carried into the guest")
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@cost(60)
def test_reaches_no_service_of_the_host(guest: Guest, bench: Bench, protocol: str) -> None:
    """A listener on all of the host's addresses receives nothing; DHCP and DNS answer."""
    network, definition = bench.networks.get()
    ports = network.facet(HOST_PORTS)
    endpoint = Endpoint.of(guest)
    targets = host_addresses(definition.bridge)
    if protocol == "udp":
        targets += BROADCASTS
    with host_listener() as listener:
        try:
            with control():  # the same probe arrives where a port is open; DHCP and DNS answer
                ports.open([listener.port])
                opened = reached_on_host(endpoint, listener, protocol, [definition.gateway])
                assert opened == {definition.gateway}, "an open port of the host is not reached"
                assert network.leases().get(guest.definition.nics[0].mac) == endpoint.address
                assert guest.os.network.resolve(definition.host_name) == [definition.gateway]
        finally:
            ports.open([])

        reached = reached_on_host(endpoint, listener, protocol, targets)
        assert not reached, f"a guest reaches services of its host at {sorted(reached)}"
