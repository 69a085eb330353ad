"""Leases on libvirt's networks, which a libvirt older than 9.7 cannot renew."""

from __future__ import annotations

from unittest.mock import Mock

import libvirt
import pytest

from harness.hypervisors.base import Owned
from harness.hypervisors.leases import Lease, decode_lease
from harness.hypervisors.libvirt.connection import LibvirtHypervisor
from harness.hypervisors.libvirt.definition import network_xml
from harness.hypervisors.libvirt.metadata import NAMESPACE, can_renew_networks, lease_in
from tests.machines import a_network

ELEMENT = 2
"""VIR_NETWORK_METADATA_ELEMENT. Source: libvirt, include/libvirt/libvirt-network.h."""


def hypervisor(version: int, network: Mock) -> LibvirtHypervisor:
    """A connection to a libvirt of that version, with one network."""
    connection = Mock(**{"getLibVersion.return_value": version, "getType.return_value": "QEMU"})
    connection.networkLookupByName.return_value = network
    made = LibvirtHypervisor.__new__(LibvirtHypervisor)
    made._connection = connection
    return made


@pytest.fixture
def binding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python binding of a libvirt that has the call."""
    monkeypatch.setattr(libvirt.virNetwork, "setMetadata", Mock(), raising=False)
    monkeypatch.setattr(libvirt, "VIR_NETWORK_METADATA_ELEMENT", ELEMENT, raising=False)


def a_leased_network() -> tuple[Owned, Lease]:
    lease = lease_in(network_xml(a_network()))
    assert lease is not None
    return Owned("network", "guestcert-run-a", lease), lease


@pytest.mark.usefixtures("binding")
def test_a_network_is_renewed_where_libvirt_can() -> None:
    network = Mock()
    new = hypervisor(9_007_000, network)
    owned, lease = a_leased_network()
    assert can_renew_networks(new._connection)

    new.renew(owned)

    kind, xml, prefix, address, flags = network.setMetadata.call_args.args
    assert (kind, prefix, address, flags) == (ELEMENT, "guestcert", NAMESPACE, 0)
    text = xml.removeprefix("<lease>").removesuffix("</lease>")
    renewed = decode_lease(text)
    assert renewed is not None
    assert renewed.owner == lease.owner
    assert renewed.expires > lease.expires


@pytest.mark.usefixtures("binding")
def test_an_older_libvirt_is_not_asked() -> None:
    network = Mock()
    old = hypervisor(9_006_000, network)
    owned, _ = a_leased_network()
    assert not can_renew_networks(old._connection)
    old.renew(owned)
    network.setMetadata.assert_not_called()
    assert network.mock_calls == []
