"""integration.heartbeat: the host sees that the guest is alive, and when it no longer is."""

from harness.features.tiers import Tier
from harness.guests.guest import Guest
from harness.integration.contract import HeartbeatState, IntegrationServices
from harness.oracles.control import control
from harness.oracles.hang import hang
from harness.plugin.markers import cost, feature, from_tier, only_on, read_only
from harness.profiles.model import System

SERVICE_OFF = "guestcert reaches a Windows guest through the service that is switched off here"

LOST_WITHIN = 10
"""Seconds (with KVM) within which the host must notice."""


@feature("integration.heartbeat")
@read_only
def test_the_host_sees_a_living_guest(integration: IntegrationServices) -> None:
    """A ready guest has a heartbeat."""
    assert integration.heartbeat.state() is HeartbeatState.OK


@feature("integration.heartbeat")
@from_tier(Tier.STANDARD)
@only_on(System.LINUX, because=SERVICE_OFF)
@cost(25)
def test_is_lost_when_the_service_stops_and_returns(
    guest: Guest, integration: IntegrationServices
) -> None:
    """The heartbeat is lost when its service stops, and returns after a restart."""
    with control():
        assert integration.heartbeat.state() is HeartbeatState.OK
    boot_id = guest.os.lifecycle.boot_id()

    with integration.heartbeat.disabled():
        assert integration.heartbeat.state() is HeartbeatState.LOST

    assert integration.heartbeat.state() is HeartbeatState.OK
    assert guest.os.lifecycle.boot_id() == boot_id


@feature("integration.heartbeat")
@from_tier(Tier.STANDARD)
@cost(60)
def test_is_lost_when_the_guest_hangs(guest: Guest, integration: IntegrationServices) -> None:
    """The heartbeat is lost while the guest's user space hangs, and the guest has not crashed."""
    with control():
        assert integration.heartbeat.state() is HeartbeatState.OK

    hang(guest)

    integration.heartbeat.await_state(HeartbeatState.LOST, seconds=LOST_WITHIN)
    assert guest.crash_watch.found() is None, "a hang was taken for a crash"


@feature("integration.heartbeat")
@from_tier(Tier.STANDARD)
@cost(25)
def test_is_lost_when_the_guest_panics(guest: Guest, integration: IntegrationServices) -> None:
    """The heartbeat is lost when the kernel panics, and the host can distinguish it from a hang."""
    with control():
        assert integration.heartbeat.state() is HeartbeatState.OK
    guest.crash_expected = True

    guest.os.lifecycle.crash(after=3)

    integration.heartbeat.await_end(seconds=LOST_WITHIN)
    assert guest.crash_watch.found() is not None, "nothing distinguishes the panic from a hang"


@feature("integration.heartbeat")
@from_tier(Tier.STANDARD)
@cost(15)
def test_paused_is_told_apart_from_lost(guest: Guest, integration: IntegrationServices) -> None:
    """A paused guest is seen as paused, not as lost; its heartbeat returns when it is resumed."""
    with control():
        assert integration.heartbeat.state() is HeartbeatState.OK

    guest.machine.pause()
    assert integration.heartbeat.state() is HeartbeatState.PAUSED

    guest.machine.resume()
    integration.heartbeat.await_state(HeartbeatState.OK, seconds=LOST_WITHIN)
