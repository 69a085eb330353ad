"""A build of the OS without a running agent is not certified; it is tested by its console.

Without the agent each boot waits for the console's login, which is too long for CI.
"""

from __future__ import annotations

from tests.e2e.conftest import GUEST, Certify, Planter, assert_violated, on_part

AGENT = "/etc/systemd/system/qemu-guest-agent.service"


def test_an_agent_that_does_not_start_violates_the_heartbeat(
    certify: Certify, plant: Planter
) -> None:
    # Debian's unit is started by udev, which `systemctl disable` does not touch: it is masked.
    image = plant({}, {AGENT: "/dev/null"})
    keyword = "sees_a_living_guest or test_identity"
    done = on_part(certify, image, keyword, "--tier", "smoke")
    assert_violated(done, "integration.heartbeat", verified="boot.identity")
    assert done.run.environment.guests[GUEST].kernel, "the run does not record what it ran on"
