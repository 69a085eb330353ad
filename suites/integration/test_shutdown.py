"""integration.shutdown: clean shutdown and reboot at the host's request."""

import pytest

from harness.errors import ChannelError
from harness.events import EventKind
from harness.features.tiers import Tier
from harness.guests.guest import Guest
from harness.guests.log_rules import Mark
from harness.guests.os.lifecycle import Ending
from harness.hypervisors.base import MachineState
from harness.hypervisors.capabilities import MachineFacet
from harness.hypervisors.facets.power import POWER_BUTTON, POWER_SERVICE, PowerRequests
from harness.integration.contract import HeartbeatState, IntegrationServices
from harness.oracles.control import control
from harness.plugin.markers import cost, feature, from_tier, only_on, requires
from harness.profiles.model import System
from harness.waiting import Deadline
from harness.workloads.load import start_load

SERVICE_OFF = "guestcert reaches a Windows guest through the service that is switched off here"

REFUSED_WITHIN = 15.0
"""Seconds within which a request that cannot be fulfilled must end with an error."""

METHODS = (
    pytest.param(POWER_BUTTON, marks=requires(POWER_BUTTON), id="acpi"),
    pytest.param(POWER_SERVICE, id="agent"),
)


@feature("integration.shutdown")
@pytest.mark.parametrize("method", METHODS)
@cost(60)
def test_shuts_down_clean_on_both_sides(
    guest: Guest, integration: IntegrationServices, method: MachineFacet[PowerRequests]
) -> None:
    """The guest powers off by itself at the host's request, and starts again without a repair."""
    since = guest.machine.events.mark()
    position = guest.console.position

    stopped = integration.shutdown.power_off(method)

    # The host's side: the guest itself went down, its power was not cut.
    assert stopped.detail == "shutdown"
    assert EventKind.SHUTDOWN in [event.kind for event in guest.machine.events.since(since)]
    assert guest.machine.state() is MachineState.OFF
    output = guest.console.since(position)
    guest.boot()
    # The guest's side: its kernel came to the end of its own shutdown ...
    assert guest.os.lifecycle.ended_cleanly(output, Ending.POWER_OFF)
    # ... and finds its file system clean at the next start.
    assert not guest.os.log.rules.shows(Mark.REPAIRED, guest.os.log.lines())


@feature("integration.shutdown")
@from_tier(Tier.STANDARD)
@cost(50)
def test_reboots_at_the_hosts_request(guest: Guest, integration: IntegrationServices) -> None:
    """The guest reboots when the host requests it from its service."""
    before = guest.os.lifecycle.boot_id()

    integration.shutdown.reboot(POWER_SERVICE)

    assert guest.os.lifecycle.boot_id() != before


@feature("integration.shutdown")
@from_tier(Tier.STANDARD)
@only_on(System.LINUX, because=SERVICE_OFF)
@cost(30)
def test_request_fails_while_the_service_is_off(
    guest: Guest, integration: IntegrationServices
) -> None:
    """With the service off the request fails without a hang; with it on again, it works."""
    with control():
        assert integration.heartbeat.state() is HeartbeatState.OK

    with integration.shutdown.disabled():
        deadline = Deadline(REFUSED_WITHIN)
        with pytest.raises(ChannelError):
            integration.shutdown.request(POWER_SERVICE)
        assert not deadline.passed, f"the refusal took {deadline.elapsed:.0f} s"
        assert guest.machine.state() is MachineState.RUNNING

    assert integration.shutdown.power_off(POWER_SERVICE).detail == "shutdown"


@feature("integration.shutdown")
@from_tier(Tier.STANDARD)
@requires(POWER_BUTTON)
@cost(40)
def test_works_under_load(guest: Guest, integration: IntegrationServices) -> None:
    """The guest shuts down in time even while its processors and its disk are busy."""
    start_load(guest)
    with control():
        assert guest.os.cpus.load() > 0, "the load did not start"

    stopped = integration.shutdown.power_off(
        POWER_BUTTON, seconds=2 * guest.profile.budgets.shutdown_seconds
    )

    assert stopped.detail == "shutdown"
