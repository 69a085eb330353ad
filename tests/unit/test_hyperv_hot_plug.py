"""Network cards that are added to machines and removed, on a scripted Hyper-V host."""

from __future__ import annotations

import dataclasses

import pytest

from harness.errors import HypervisorError
from harness.hypervisors.definitions import NicDefinition
from harness.hypervisors.facets.network_policy import NETWORK_POLICY
from harness.hypervisors.facets.nics import HOT_PLUG, HotPlug
from harness.hypervisors.hyperv.connection import HypervHypervisor
from harness.hypervisors.hyperv.errors import HostRefusalError
from harness.hypervisors.hyperv.machine import HypervMachine
from harness.hypervisors.nic_policy import NicPolicy, Vlan, VlanMode
from harness.profiles.hardware import Firmware
from tests.fakes.hyperv_host.model import HostModel
from tests.machines import a_machine, a_network

FIRST = NicDefinition("02:00:00:00:00:0a", a_network().name)
SECOND = NicDefinition("02:00:00:00:00:0b", a_network().name)


@pytest.fixture
def hypervisor(hypervisor: HypervHypervisor) -> HypervHypervisor:
    """The shared one, with a network to plug cards into."""
    hypervisor.create_network(a_network())
    return hypervisor


def defined(hypervisor: HypervHypervisor, firmware: Firmware) -> tuple[HypervMachine, HotPlug]:
    machine = hypervisor.define(a_machine(firmware=firmware, nics=[FIRST]))
    return machine, machine.facet(HOT_PLUG)


def macs_on(host: HostModel) -> list[str]:
    return [nic.mac for nic in host.machines["guestcert-run-guest"].nics]


def test_generation_2_gets_and_loses_a_card_while_it_runs(
    hypervisor: HypervHypervisor, host: HostModel
) -> None:
    machine, pluggable = defined(hypervisor, Firmware.UEFI)
    machine.start()
    pluggable.plug(SECOND)
    assert macs_on(host) == ["02000000000A", "02000000000B"]
    assert host.machines[machine.name].nics[1].dhcp_guard == "On"
    assert machine.definition.nics == [FIRST, SECOND]
    pluggable.unplug(FIRST.mac)
    assert macs_on(host) == ["02000000000B"]
    assert machine.definition.nics == [SECOND]


@pytest.mark.parametrize(
    ("firmware", "build"), [(Firmware.BIOS, "10.0.20348"), (Firmware.UEFI, "6.3.9600")]
)
def test_what_can_not_be_changed_while_it_runs_refuses_and_is_changed_when_off(
    hypervisor: HypervHypervisor, host: HostModel, firmware: Firmware, build: str
) -> None:
    machine, pluggable = defined(hypervisor, firmware)
    host.build = build
    machine.start()
    with pytest.raises(HostRefusalError, match=r"adding .*InvalidState"):
        pluggable.plug(SECOND)
    with pytest.raises(HostRefusalError, match=r"removing .*InvalidState"):
        pluggable.unplug(FIRST.mac)
    assert machine.definition.nics == [FIRST]
    machine.power_off()
    pluggable.plug(SECOND)
    pluggable.unplug(FIRST.mac)
    assert macs_on(host) == ["02000000000B"]


def test_no_card_is_given_twice_or_taken_that_is_not_there(hypervisor: HypervHypervisor) -> None:
    _, pluggable = defined(hypervisor, Firmware.UEFI)
    with pytest.raises(HypervisorError, match="already"):
        pluggable.plug(FIRST)
    with pytest.raises(HypervisorError, match=f"no network card {SECOND.mac}"):
        pluggable.unplug(SECOND.mac)


def test_a_card_is_plugged_into_networks_of_ours_alone(hypervisor: HypervHypervisor) -> None:
    _, pluggable = defined(hypervisor, Firmware.UEFI)
    with pytest.raises(HypervisorError, match="does not own"):
        pluggable.plug(NicDefinition(SECOND.mac, "Default Switch"))
    with pytest.raises(HostRefusalError, match="unable to find a virtual switch"):
        pluggable.plug(NicDefinition(SECOND.mac, "guestcert-gone"))


def with_vlan(number: int) -> NicDefinition:
    policy = NicPolicy(vlan=Vlan(VlanMode.ACCESS, access=number))
    return dataclasses.replace(SECOND, policy=policy)


def test_a_card_is_plugged_with_its_policy_or_not_at_all(
    hypervisor: HypervHypervisor, host: HostModel
) -> None:
    machine, pluggable = defined(hypervisor, Firmware.UEFI)
    with pytest.raises(HostRefusalError, match=r"Set-NicVlan.*InvalidParameter"):
        pluggable.plug(with_vlan(4095))
    assert macs_on(host) == ["02000000000A"]
    assert machine.definition.nics == [FIRST]
    pluggable.plug(with_vlan(5))
    assert machine.facet(NETWORK_POLICY).read(SECOND.mac).vlan.access == 5
