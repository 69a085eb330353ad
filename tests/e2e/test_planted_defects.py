"""Builds of the same OS with defects planted: none is certified, and the right features fail.

Each has its control: another feature of the same guest is verified in the same run.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.results.model import Status, Verdict
from harness.results.outcomes import Outcome
from tests.e2e.conftest import Certify, Planter, assert_violated, on_part

MENU = "/boot/grub/grub.cfg"
RELEASE = "/usr/lib/os-release"
TRIXIE = 'NAME="Debian GNU/Linux"\nVERSION_ID="13"\nVERSION_CODENAME=trixie\nID=debian\n'


def test_another_release_a_failed_unit_and_an_ignored_power_button_are_told_apart(
    certify: Certify, plant: Planter
) -> None:
    """Three defects in one build, since each build costs a first boot."""
    unit = "[Service]\nType=oneshot\nExecStart=/bin/false\n"
    wanted = "/etc/systemd/system/multi-user.target.wants/planted.service"
    path = "/etc/systemd/system/planted.service"
    button = "/etc/systemd/logind.conf.d/planted.conf"
    files = {path: unit, button: "[Login]\nHandlePowerKey=ignore\n", RELEASE: TRIXIE}
    image = plant(files, {wanted: path})
    keyword = "no_unit_has_failed or shuts_down_clean or sees_a_living_guest or test_identity"
    done = on_part(certify, image, keyword)
    violated = ("boot.identity", "boot.clean_log", "integration.shutdown")
    assert_violated(done, *violated, verified="integration.heartbeat")
    assert "planted.service" in done.reasons()
    assert "its release is '13', the profile's is '12'" in done.reasons()
    failed = [o for o in done.run.outcomes if o.outcome is Outcome.FAILED]
    assert len(failed) == 3, "only the power button was planted, the agent's way still works"


def test_a_guest_without_an_init_violates_ready(
    certify: Certify, plant: Planter, read_from_image: Callable[[str], str]
) -> None:
    menu = read_from_image(MENU)
    image = plant({MENU: menu.replace(" ro ", " ro init=/bin/false ")}, {})
    assert "root=" in menu, "the boot menu has no kernel command line to plant the defect in"
    done = on_part(certify, image, "boots_to_ready or sees_a_living_guest")
    assert done.exit_code == 1, done.output[-4000:]
    assert [c.status for c in done.run.certificates] == [Status.NOT_CERTIFIED]
    assert done.features(Verdict.VIOLATED) == {"boot.ready"}
    assert "Kernel panic" in done.reasons()
    blocked = [o for o in done.run.outcomes if o.outcome is Outcome.BLOCKED]
    assert [o.feature for o in blocked] == ["integration.heartbeat"]
    failed = next(o for o in done.run.outcomes if o.outcome is Outcome.FAILED)
    assert failed.evidence, "no evidence of the guest that did not come up was kept"
