"""boot.network: the guest has the network's addresses, route and names."""

import ipaddress

from harness.guests.guest import Guest
from harness.hypervisors.capabilities import NETWORK
from harness.lab.bench import Bench
from harness.plugin.markers import feature, read_only, requires


@feature("boot.network")
@requires(NETWORK)
@read_only
def test_has_the_address_that_the_network_leased(guest: Guest, bench: Bench) -> None:
    """The guest's IPv4 address is the one that the DHCP server leased to its card."""
    network, _ = bench.networks.get()
    mac = guest.definition.nics[0].mac

    leased = network.leases().get(mac)

    assert leased is not None, f"the DHCP server leased nothing to {mac}"
    own = _addresses(guest)
    assert leased in [str(a.ip) for a in own if a.version == 4]


@feature("boot.network")
@requires(NETWORK)
@read_only
def test_has_the_default_route(guest: Guest, bench: Bench) -> None:
    """The guest's only default route is the network's gateway."""
    _, definition = bench.networks.get()

    assert guest.os.network.default_routes() == [definition.gateway]


@feature("boot.network")
@requires(NETWORK)
@read_only
def test_resolves_names(guest: Guest, bench: Bench) -> None:
    """The guest resolves a name that only this network's server knows, and no invented one."""
    _, definition = bench.networks.get()

    assert guest.os.network.resolve(definition.host_name) == [definition.gateway]
    assert guest.os.network.resolve(f"no-such-host.{definition.domain}") == []


@feature("boot.network")
@requires(NETWORK)
@read_only
def test_has_an_ipv6_address_of_the_network(guest: Guest, bench: Bench) -> None:
    """The guest has an IPv6 address in the prefix that the network advertises."""
    _, definition = bench.networks.get()
    prefix = ipaddress.ip_network(f"{definition.gateway_v6}/{definition.prefix_v6}", strict=False)

    assert any(a.ip in prefix for a in _addresses(guest) if a.version == 6)


def _addresses(guest: Guest) -> list[ipaddress.IPv4Interface | ipaddress.IPv6Interface]:
    nic = guest.os.network.nics()[0]
    return [ipaddress.ip_interface(address) for address in nic.addresses]
