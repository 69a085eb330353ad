"""Isolated networks for a run's guests, on subnets that are unused on the host."""

from __future__ import annotations

import hashlib
import ipaddress
from pathlib import Path

from filelock import FileLock

from harness.errors import HarnessError
from harness.hypervisors.base import NAME_PREFIX, Hypervisor, Network
from harness.hypervisors.definitions import NetworkDefinition, Ownership
from harness.lab.identity import Identity, mac_address

POOL = ipaddress.IPv4Network("10.217.0.0/16")
"""Private address pool (RFC 1918); each network takes a /24."""

FIRST_LEASE, LAST_LEASE = 16, 240
"""The host parts of the DHCP range."""

DEFAULT_NETWORK = "a"
"""The network of first boots, and of a guest that is put on no other."""

HOST_NAME = "host.guestcert.test"
"""A name under .test (RFC 2606) that only the network's name server resolves."""


class Networks:
    """Creates networks by name (a, b, ...), once each, for one worker of a run."""

    def __init__(self, hypervisor: Hypervisor, root: Path, owner: Ownership, worker: str) -> None:
        self._hypervisor = hypervisor
        self._lock = FileLock(root / "networks.lock")
        self._owner = owner
        self._worker = worker
        self._made: dict[str, tuple[Network, NetworkDefinition]] = {}

    def get(self, name: str = DEFAULT_NETWORK) -> tuple[Network, NetworkDefinition]:
        """The network of this name of this worker, created at the first call."""
        if name not in self._made:
            # Choosing and taking a subnet must be atomic among all processes.
            with self._lock:
                definition = self._define(name)
                self._made[name] = (self._hypervisor.create_network(definition), definition)
        return self._made[name]

    def remove_all(self) -> None:
        """Remove every network of this worker."""
        for network, _ in self._made.values():
            network.remove()
        self._made.clear()

    def _define(self, name: str) -> NetworkDefinition:
        full_name = f"{NAME_PREFIX}{self._owner.run}-{self._worker}-{name}"
        digest = hashlib.sha256(full_name.encode()).hexdigest()
        subnet = self._free_subnet()
        hosts = [str(subnet.network_address + part) for part in (1, FIRST_LEASE, LAST_LEASE)]
        reserved = {
            mac_address(self._owner.run, identity): str(
                subnet.network_address + FIRST_LEASE + identity
            )
            for identity in Identity
        }
        return NetworkDefinition(
            name=full_name,
            bridge=f"gcb{digest[:10]}",
            gateway=hosts[0],
            prefix=subnet.prefixlen,
            dhcp_start=hosts[1],
            dhcp_end=hosts[2],
            # A unique local prefix (RFC 4193) for each network.
            gateway_v6=f"fd{digest[:2]}:{digest[2:6]}:{digest[6:10]}::1",
            prefix_v6=64,
            host_name=HOST_NAME,
            domain="guestcert.test",
            owner=self._owner,
            reservations=reserved,
        )

    def _free_subnet(self) -> ipaddress.IPv4Network:
        taken = [
            ipaddress.ip_network(net, strict=False) for net in self._hypervisor.taken_subnets()
        ]
        for subnet in POOL.subnets(new_prefix=24):
            if not any(subnet.overlaps(other) for other in taken):
                return subnet
        raise HarnessError(
            f"every /24 of {POOL} is in use on this host, so guests cannot have a network",
            remedy="run `guestcert clean`, then look in `ip address` for what uses them",
        )
