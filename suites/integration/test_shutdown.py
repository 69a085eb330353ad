"""integration.shutdown: down and up again at the host's request, cleanly."""

import pytest

from harness.errors import ChannelError
from harness.events import EventKind
from harness.guests.guest import Guest
from harness.guests.integration import HeartbeatState, IntegrationServices
from harness.hypervisors.base import Capability, MachineState, PowerMethod
from harness.plugin.markers import cost, feature, requires
from harness.waiting import Deadline

REFUSED_WITHIN = 15.0
"""Seconds in which a request that can't be fulfilled must end with an error."""

METHODS = (
    pytest.param(PowerMethod.ACPI, marks=requires(Capability.POWER_BUTTON)),
    PowerMethod.AGENT,
)


@feature("integration.shutdown")
@pytest.mark.parametrize("method", METHODS, ids=str)
@cost(60)
def test_shuts_down_clean_on_both_sides(
    guest: Guest, integration: IntegrationServices, method: PowerMethod
) -> None:
    """The guest powers off by itself at the host's request, and starts again without a repair."""
    since = guest.machine.events.mark()
    position = guest.console.position

    stopped = integration.shutdown.power_off(method)

    # The host's side: it was the guest that went down, nobody pulled the plug.
    assert stopped.detail == "shutdown"
    assert EventKind.SHUTDOWN in [event.kind for event in guest.machine.events.since(since)]
    assert guest.machine.state() is MachineState.OFF
    # The guest's side: its kernel came to the end of its own shutdown ...
    assert b"reboot: Power down" in guest.console.since(position)
    # ... and finds its file system clean at the next start.
    guest.boot()
    repaired = [
        line.text
        for line in guest.os.kernel_log()
        if "EXT4-fs" in line.text and ("recovery complete" in line.text or "orphan" in line.text)
    ]
    assert repaired == []


@feature("integration.shutdown")
@cost(50)
def test_reboots_at_the_hosts_request(guest: Guest, integration: IntegrationServices) -> None:
    """The guest reboots when the host asks its service to."""
    before = guest.os.boot_id()

    integration.shutdown.reboot(PowerMethod.AGENT)

    assert guest.os.boot_id() != before


@feature("integration.shutdown")
@cost(30)
def test_request_fails_while_the_service_is_off(
    guest: Guest, integration: IntegrationServices
) -> None:
    """With the service off the request ends with an error, it does not hang; on, it works."""
    assert integration.heartbeat.state() is HeartbeatState.OK
    integration.service.switch_off()
    deadline = Deadline(REFUSED_WITHIN)

    with pytest.raises(ChannelError):
        integration.shutdown.request(PowerMethod.AGENT)

    assert not deadline.passed, f"the refusal took {deadline.elapsed:.0f} s"
    assert guest.machine.state() is MachineState.RUNNING
    integration.service.switch_on()
    assert integration.shutdown.power_off(PowerMethod.AGENT).detail == "shutdown"


@feature("integration.shutdown")
@requires(Capability.POWER_BUTTON)
@cost(40)
def test_works_under_load(guest: Guest, integration: IntegrationServices) -> None:
    """The guest shuts down in time also while its processors and its disk are busy."""
    guest.os.sh(
        "for n in $(seq $(nproc)); do (while :; do :; done) >&- 2>&- & done;"
        " (while :; do dd if=/dev/zero of=/var/tmp/load bs=64k count=200 conv=fsync; done)"
        " >/dev/null 2>&1 &"
    )
    busy = guest.os.sh("sleep 3; cat /proc/loadavg")
    assert float(busy.split()[0]) > 0, "the load did not start"

    stopped = integration.shutdown.power_off(
        PowerMethod.ACPI, seconds=2 * guest.profile.budgets.shutdown_seconds
    )

    assert stopped.detail == "shutdown"
