"""integration.host_services: the host's side of the services, which no guest need answer."""

import pytest

from harness.errors import HypervisorError
from harness.guests.guest import Guest
from harness.hypervisors.base import Capability
from harness.hypervisors.host_services import (
    CheckpointKind,
    HostServices,
    ServiceName,
    host_services_of,
)
from harness.plugin.markers import every_variant, feature, requires


def side_of_the_host(guest: Guest) -> HostServices:
    """What the hypervisor says that it has."""
    services = host_services_of(guest.machine)
    assert services is not None, "the machine has no services of its hypervisor's"
    return services


@feature("integration.host_services")
@requires(Capability.HOST_SERVICES)
@every_variant
def test_the_host_switches_each_service_off_and_on(unstarted: Guest) -> None:
    """Each service is there, is switched off and on alone, and is put back as it was."""
    services = side_of_the_host(unstarted)
    before = {name: state.enabled for name, state in services.states().items()}
    assert set(before) == set(ServiceName)
    for name in ServiceName:
        for on in (False, True, before[name]):
            services.switch(name, on=on)
            now = {each: state.enabled for each, state in services.states().items()}
            assert now == {**before, name: on}


@feature("integration.host_services")
@requires(Capability.HOST_SERVICES)
@every_variant
def test_the_host_keeps_the_pairs_that_it_gives(unstarted: Guest) -> None:
    """A pair is kept as it was given, changed and removed; no key is given twice."""
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
@requires(Capability.HOST_SERVICES)
@every_variant
def test_the_host_takes_checkpoints_of_a_machine_that_is_off(unstarted: Guest) -> None:
    """A checkpoint of each kind is taken, gone back to and removed."""
    services = side_of_the_host(unstarted)
    for kind in CheckpointKind:
        services.checkpoint(f"guestcert-{kind}", kind)
        assert services.checkpoints() == [f"guestcert-{kind}"]
        services.restore_checkpoint(f"guestcert-{kind}")
        services.remove_checkpoint(f"guestcert-{kind}")
        assert services.checkpoints() == []


@feature("integration.host_services")
@requires(Capability.HOST_SERVICES)
@every_variant
def test_the_host_resizes_the_memory_of_a_machine_that_is_off(unstarted: Guest) -> None:
    """The host counts the memory that it was told to give."""
    services = side_of_the_host(unstarted)
    defined = unstarted.definition.memory_mib
    assert services.memory().startup == defined
    for amount in (defined + 128, defined):
        services.resize_memory(startup_mib=amount)
        assert services.memory().startup == amount
