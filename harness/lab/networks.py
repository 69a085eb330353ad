"""Isolated networks for a run's guests, on subnets that nobody on the host uses."""

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
"""Private addresses (RFC 1918) from which each network takes a /24."""

FIRST_LEASE, LAST_LEASE = 16, 240
"""The host parts of the addresses that a network leases."""

HOST_NAME = "host.guestcert.test"
"""A name under .test (RFC 2606), which only the network's own name server knows."""


class Networks:
    """Makes networks by number, once each, for one worker of a run."""

    def __init__(self, hypervisor: Hypervisor, root: Path, owner: Ownership, worker: str) -> None:
        self._hypervisor = hypervisor
        self._lock = FileLock(root / "networks.lock")
        self._owner = owner
        self._worker = worker
        self._made: dict[int, tuple[Network, NetworkDefinition]] = {}

    def get(self, number: int) -> tuple[Network, NetworkDefinition]:
        """Network `number` of this worker, made at the first call."""
        if number not in self._made:
            # Choosing a subnet and taking it must be one act among all processes.
            with self._lock:
                definition = self._define(number)
                self._made[number] = (self._hypervisor.create_network(definition), definition)
        return self._made[number]

    def remove_all(self) -> None:
        """Take every network of this worker away."""
        for network, _ in self._made.values():
            network.remove()
        self._made.clear()

    def _define(self, number: int) -> NetworkDefinition:
        name = f"{NAME_PREFIX}{self._owner.run}-{self._worker}-{number}"
        digest = hashlib.sha256(name.encode()).hexdigest()
        subnet = self._free_subnet()
        hosts = [str(subnet.network_address + part) for part in (1, FIRST_LEASE, LAST_LEASE)]
        reserved = {
            mac_address(self._owner.run, identity): str(
                subnet.network_address + FIRST_LEASE + identity
            )
            for identity in Identity
        }
        return NetworkDefinition(
            name=name,
            bridge=f"gcb{digest[:10]}",
            gateway=hosts[0],
            prefix=subnet.prefixlen,
            dhcp_start=hosts[1],
            dhcp_end=hosts[2],
            # A unique local prefix (RFC 4193) of our own for each network.
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
            f"every /24 of {POOL} is in use on this host, so no network can be made for guests",
            remedy="run `guestcert clean`, then look at `ip address` for what uses them",
        )
