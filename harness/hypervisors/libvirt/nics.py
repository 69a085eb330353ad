"""Moving network cards through libvirt."""

from __future__ import annotations

import dataclasses

import libvirt

from harness.errors import HypervisorError
from harness.hypervisors.libvirt.definition import nic_xml
from harness.hypervisors.libvirt.domain import Domain
from harness.hypervisors.libvirt.errors import wrap_errors


class LibvirtNicMove:
    """See NicMove."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def move(self, mac: str, network: str) -> None:
        """See NicMove."""
        name = self._domain.name
        nic = next((nic for nic in self._domain.definition.nics if nic.mac == mac), None)
        if nic is None:
            raise HypervisorError(f"{name} has no network card {mac}")
        moved = dataclasses.replace(nic, network=network)
        with wrap_errors(f"plugging {mac} of {name} into {network}"):
            self._domain.handle.updateDeviceFlags(nic_xml(moved), libvirt.VIR_DOMAIN_AFFECT_LIVE)
