"""integration.host_services: the host's side of the services, without a running guest."""

from dataclasses import replace

import pytest

from harness.errors import HypervisorError
from harness.guests.guest import Guest
from harness.hypervisors.capabilities import NETWORK
from harness.hypervisors.facets.host_services import DATA_EXCHANGE, HOST_SERVICES, ServiceName
from harness.hypervisors.facets.memory import MEMORY
from harness.hypervisors.facets.metering import METERING
from harness.hypervisors.facets.network_policy import NETWORK_POLICY
from harness.hypervisors.facets.snapshots import PRODUCTION_SNAPSHOTS, SNAPSHOTS
from harness.hypervisors.nic_policy import Vlan, VlanMode
from harness.plugin.markers import every_variant, feature, requires

CHECKPOINT = "guestcert"


@feature("integration.host_services")
@requires(HOST_SERVICES)
@every_variant
def test_the_host_switches_each_service_off_and_on(unstarted: Guest) -> None:
    """Each service exists, is switched off and on alone, and is restored."""
    services = unstarted.machine.facet(HOST_SERVICES)
    before = {name: state.enabled for name, state in services.states().items()}
    assert set(before) == set(ServiceName)
    for name in ServiceName:
        for on in (False, True, before[name]):
            services.switch(name, on=on)
            now = {each: state.enabled for each, state in services.states().items()}
            assert now == {**before, name: on}


@feature("integration.host_services")
@requires(DATA_EXCHANGE)
@every_variant
def test_the_host_keeps_the_pairs_that_it_gives(unstarted: Guest) -> None:
    """A pair is stored, changed and removed; no key is stored twice."""
    exchange = unstarted.machine.facet(DATA_EXCHANGE)
    assert exchange.host_pairs() == {}
    for value in ("one", "größer & <2>", ""):
        change = exchange.modify_pair if exchange.host_pairs() else exchange.add_pair
        change("guestcert", value)
        assert exchange.host_pairs() == {"guestcert": value}
    with pytest.raises(HypervisorError):
        exchange.add_pair("guestcert", "again")
    exchange.remove_pair("guestcert")
    with pytest.raises(HypervisorError):
        exchange.modify_pair("guestcert", "gone")
    assert exchange.host_pairs() == {}


@feature("integration.host_services")
@requires(HOST_SERVICES, SNAPSHOTS)
@every_variant
def test_the_host_takes_checkpoints_of_a_machine_that_is_off(unstarted: Guest) -> None:
    """A standard checkpoint is taken, restored and removed."""
    snapshots = unstarted.machine.facet(SNAPSHOTS)
    snapshots.take(CHECKPOINT)
    assert snapshots.names() == [CHECKPOINT]
    snapshots.revert(CHECKPOINT)
    snapshots.remove(CHECKPOINT)
    assert snapshots.names() == []


@feature("integration.host_services")
@requires(HOST_SERVICES, SNAPSHOTS, PRODUCTION_SNAPSHOTS)
@every_variant
def test_the_host_takes_production_checkpoints_of_a_machine_that_is_off(unstarted: Guest) -> None:
    """A production checkpoint is taken, restored and removed; there is nothing to quiesce."""
    snapshots = unstarted.machine.facet(SNAPSHOTS)
    unstarted.machine.facet(PRODUCTION_SNAPSHOTS).take(CHECKPOINT)
    assert snapshots.names() == [CHECKPOINT]
    snapshots.revert(CHECKPOINT)
    snapshots.remove(CHECKPOINT)
    assert snapshots.names() == []


@feature("integration.host_services")
@requires(MEMORY)
@every_variant
def test_the_host_resizes_the_memory_of_a_machine_that_is_off(unstarted: Guest) -> None:
    """The host reports the memory that was requested."""
    memory = unstarted.machine.facet(MEMORY)
    defined = unstarted.definition.memory_mib
    assert memory.facts().startup == defined
    for amount in (defined + 128, defined):
        memory.resize(startup_mib=amount)
        assert memory.facts().startup == amount


@feature("integration.host_services")
@requires(NETWORK_POLICY, NETWORK)
@every_variant
def test_the_host_puts_a_network_card_into_vlans(unstarted: Guest) -> None:
    """A card is put into one VLAN, into several, and into none again."""
    policy, mac = unstarted.machine.facet(NETWORK_POLICY), unstarted.definition.nics[0].mac
    assert policy.read(mac).vlan == Vlan()
    several = Vlan(VlanMode.TRUNK, native=10, allowed=frozenset({20, 30}))
    for vlan in (Vlan(VlanMode.ACCESS, access=10), several, Vlan()):
        policy.set_vlan(mac, vlan)
        assert policy.read(mac).vlan == vlan


@feature("integration.host_services")
@requires(NETWORK_POLICY, NETWORK)
@every_variant
def test_the_host_switches_each_guard_of_a_network_card(unstarted: Guest) -> None:
    """Each guard is switched alone, and is restored."""
    policy, mac = unstarted.machine.facet(NETWORK_POLICY), unstarted.definition.nics[0].mac
    before = policy.read(mac).guards
    for name in ("mac_spoofing", "dhcp", "router"):
        for guards in (replace(before, **{name: not getattr(before, name)}), before):
            policy.set_guards(mac, guards)
            assert policy.read(mac).guards == guards


@feature("integration.host_services")
@requires(METERING)
@every_variant
def test_the_host_meters_a_machine_that_is_off(unstarted: Guest) -> None:
    """While it is metered there are figures, which show no activity."""
    meter = unstarted.machine.facet(METERING)
    assert meter.usage() is None
    meter.start()
    for _ in range(2):
        usage = meter.usage()
        assert usage is not None, "no figures"
        assert not usage.processor_mhz
        assert (usage.received, usage.sent) == (0, 0)
        meter.reset()
    meter.stop()
    assert meter.usage() is None
