"""The main job: a healthy Debian 12 is certified."""

from __future__ import annotations

import json
from collections.abc import Callable

from harness.features.catalogue import load_catalogue
from harness.features.tiers import Tier
from harness.results.model import Status, Verdict
from harness.results.outcomes import Outcome
from tests.e2e.conftest import GUEST, Certification


def test_a_healthy_guest_is_certified(certify: Callable[..., Certification]) -> None:
    done = certify("--tier", "smoke")

    assert done.exit_code == 0, done.output[-4000:]
    assert [c.status for c in done.run.certificates] == [Status.CERTIFIED]
    tested = {f.id for f in load_catalogue() if not f.planned and Tier.SMOKE.includes(f.tier)}
    assert done.features(Verdict.VERIFIED) == tested
    assert {o.outcome for o in done.run.outcomes} == {Outcome.PASSED}
    written = json.loads(done.directory.certificate(GUEST).read_text(encoding="utf-8"))
    assert written["status"] == "certified"
    assert written["image"] == done.run.environment.guests[GUEST].image
    assert (done.directory.site / "index.html").exists()
    assert done.directory.junit.exists()
    assert list(done.directory.allure_results.glob("*-result.json"))
    assert {"provisioning", "boot", "restore", "guest"} <= set(done.run.ledger)


def test_what_a_smoke_run_leaves_out_is_verified(certify: Callable[..., Certification]) -> None:
    """The long cases that no change may break: firmwares, resets, and two guests at once."""
    signed = "boots_to_ready and secure"
    done = certify("--", "-k", f"boot_entry or hard_reset or segments and arp or {signed}")

    assert {o.outcome for o in done.run.outcomes} == {Outcome.PASSED}, done.reasons()
    assert done.features(Verdict.VERIFIED) == {
        "boot.ready",
        "boot.firmware.uefi",
        "boot.reset",
        "isolation.network.segment",
    }
