"""integration.host_services: the host's side of the services, without a running guest."""

from dataclasses import replace

import pytest

from harness.errors import HypervisorError
from harness.guests.guest import Guest
from harness.hypervisors.capabilities import NETWORK
from harness.hypervisors.facets.host_services import (
    HOST_SERVICES,
    CheckpointKind,
    HostServices,
    ServiceName,
    host_services_of,
)
from harness.hypervisors.facets.metering import METERING, metering_of
from harness.hypervisors.facets.network_policy import (
    NETWORK_POLICY,
    NetworkPolicy,
    Vlan,
    VlanMode,
    network_policy_of,
)
from harness.hypervisors.facets.snapshots import PRODUCTION_SNAPSHOTS
from harness.plugin.markers import every_variant, feature, requires

CHECKPOINT = "guestcert"


def side_of_the_host(guest: Guest) -> HostServices:
    """The services of the hypervisor's own side."""
    services = host_services_of(guest.machine)
    assert services is not None, "the machine has no services of its hypervisor"
    return services


def policy_of_its_card(guest: Guest) -> tuple[NetworkPolicy, str]:
    """The network policy, and the address of the machine's card."""
    policy = network_policy_of(guest.machine)
    assert policy is not None, "the machine's network cards have no policy"
    return policy, guest.definition.nics[0].mac


@feature("integration.host_services")
@requires(HOST_SERVICES)
@every_variant
def test_the_host_switches_each_service_off_and_on(unstarted: Guest) -> None:
    """Each service exists, is switched off and on alone, and is restored."""
    services = side_of_the_host(unstarted)
    before = {name: state.enabled for name, state in services.states().items()}
    assert set(before) == set(ServiceName)
    for name in ServiceName:
        for on in (False, True, before[name]):
            services.switch(name, on=on)
            now = {each: state.enabled for each, state in services.states().items()}
            assert now == {**before, name: on}


@feature("integration.host_services")
@requires(HOST_SERVICES)
@every_variant
def test_the_host_keeps_the_pairs_that_it_gives(unstarted: Guest) -> None:
    """A pair is stored, changed and removed; no key is stored twice."""
    services = side_of_the_host(unstarted)
    assert services.host_pairs() == {}
    for value in ("one", "größer & <2>", ""):
        change = services.modify_pair if services.host_pairs() else services.add_pair
        change("guestcert", value)
        assert services.host_pairs() == {"guestcert": value}
    with pytest.raises(HypervisorError):
        services.add_pair("guestcert", "again")
    services.remove_pair("guestcert")
    with pytest.raises(HypervisorError):
        services.modify_pair("guestcert", "gone")
    assert services.host_pairs() == {}


@feature("integration.host_services")
@requires(HOST_SERVICES)
@every_variant
def test_the_host_takes_checkpoints_of_a_machine_that_is_off(unstarted: Guest) -> None:
    """A standard checkpoint is taken, restored and removed."""
    services = side_of_the_host(unstarted)
    services.checkpoint(CHECKPOINT, CheckpointKind.STANDARD)
    assert services.checkpoints() == [CHECKPOINT]
    services.restore_checkpoint(CHECKPOINT)
    services.remove_checkpoint(CHECKPOINT)
    assert services.checkpoints() == []


@feature("integration.host_services")
@requires(HOST_SERVICES, PRODUCTION_SNAPSHOTS)
@every_variant
def test_the_host_takes_production_checkpoints_of_a_machine_that_is_off(unstarted: Guest) -> None:
    """A production checkpoint is taken, restored and removed; there is nothing to quiesce."""
    services = side_of_the_host(unstarted)
    services.checkpoint(CHECKPOINT, CheckpointKind.PRODUCTION)
    assert services.checkpoints() == [CHECKPOINT]
    services.restore_checkpoint(CHECKPOINT)
    services.remove_checkpoint(CHECKPOINT)
    assert services.checkpoints() == []


@feature("integration.host_services")
@requires(HOST_SERVICES)
@every_variant
def test_the_host_resizes_the_memory_of_a_machine_that_is_off(unstarted: Guest) -> None:
    """The host reports the memory that was requested."""
    services = side_of_the_host(unstarted)
    defined = unstarted.definition.memory_mib
    assert services.memory().startup == defined
    for amount in (defined + 128, defined):
        services.resize_memory(startup_mib=amount)
        assert services.memory().startup == amount


@feature("integration.host_services")
@requires(NETWORK_POLICY, NETWORK)
@every_variant
def test_the_host_puts_a_network_card_into_vlans(unstarted: Guest) -> None:
    """A card is put into one VLAN, into several, and into none again."""
    policy, mac = policy_of_its_card(unstarted)
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
    policy, mac = policy_of_its_card(unstarted)
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
    meter = metering_of(unstarted.machine)
    assert meter is not None, "the machine has no meter"
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
