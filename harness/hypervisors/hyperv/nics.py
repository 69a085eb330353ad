"""Network cards of a machine on Hyper-V that are moved, added and removed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from harness.errors import HypervisorError
from harness.hypervisors.definitions import NicDefinition
from harness.hypervisors.hyperv.definition import guard
from harness.hypervisors.hyperv.host_machine import HostMachine
from harness.hypervisors.hyperv.nic_calls import hyperv_mac, nic_calls


class HypervNicMove:
    """See NicMove."""

    def __init__(self, machine: HostMachine) -> None:
        self._machine = machine

    def move(self, mac: str, network: str) -> None:
        """See NicMove."""
        _require_nic(self._machine, mac)
        guard(network)
        doing = f"plugging {mac} of"
        self._machine.do("Move-Nic", doing, Mac=hyperv_mac(mac), Network=network)


class HypervHotPlug:
    """See HotPlug. Generation 1, and hosts before 2016, refuse while the machine runs."""

    def __init__(self, machine: HostMachine) -> None:
        self._machine = machine

    def plug(self, nic: NicDefinition) -> None:
        """See HotPlug."""
        name = self._machine.name
        if nic.mac in _macs(self._machine):
            raise HypervisorError(f"{name} already has a network card {nic.mac}")
        guard(nic.network)
        add, *apply_policy = nic_calls(name, nic, legacy=False)
        doing = f"adding {nic.mac} to {name}"
        self._machine.run(add.script, doing, **add.parameters)
        try:
            for call in apply_policy:
                self._machine.run(call.script, f"{doing} ({call.script})", **call.parameters)
        except HypervisorError:
            self._remove(nic.mac)  # else it would send and receive without its policy
            raise
        self._replace_nics([*self._machine.definition.nics, nic])

    def unplug(self, mac: str) -> None:
        """See HotPlug."""
        _require_nic(self._machine, mac)
        self._remove(mac)
        self._replace_nics([nic for nic in self._machine.definition.nics if nic.mac != mac])

    def _remove(self, mac: str) -> None:
        self._machine.do("Remove-Nic", f"removing {mac} from", Mac=hyperv_mac(mac))

    def _replace_nics(self, nics: Sequence[NicDefinition]) -> None:
        machine = self._machine
        machine.definition = dataclasses.replace(machine.definition, nics=nics)


def _macs(machine: HostMachine) -> list[str]:
    return [nic.mac for nic in machine.definition.nics]


def _require_nic(machine: HostMachine, mac: str) -> None:
    if mac not in _macs(machine):
        raise HypervisorError(f"{machine.name} has no network card {mac}")
