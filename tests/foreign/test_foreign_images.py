"""A healthy Debian 12 is certified whoever made its image, and however it is set up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.results.model import Status, Verdict
from harness.results.outcomes import Outcome
from tests.e2e.conftest import GUEST, Certification
from tests.foreign.makers import MAKERS, Maker

Certify = Callable[..., Certification]

SECONDS = 4 * 3600
"""For the standard tier on an emulated processor of a busy host."""

BAD = {Outcome.FAILED, Outcome.BROKEN}


@pytest.mark.parametrize(
    ("maker", "image"), [pytest.param(m, m, id=m.id) for m in MAKERS], indirect=["image"]
)
def test_a_healthy_image_of_another_maker_is_certified(
    certify: Certify, maker: Maker, image: Path, more_cases: str
) -> None:
    options = (GUEST, "--image", str(image), "--variant", "bios", "-n", "0")
    smoke = certify(*options, "--tier", "smoke")
    picked = ("--", "-k", more_cases) if more_cases else ()
    more = certify(*options, *picked, seconds=SECONDS)

    expected = Status.NOT_CERTIFIED if maker.lacks else Status.CERTIFIED
    assert [c.status for c in smoke.run.certificates] == [expected], smoke.reasons()
    for done in (smoke, more):
        bad = {o.feature for o in done.run.outcomes if o.outcome in BAD}
        assert bad <= maker.lacks, done.reasons()
    assert smoke.features(Verdict.VIOLATED) == maker.lacks, smoke.reasons()
    tried = {"boot.network", "boot.save_restore", "isolation.network.segment", "isolation.disk"}
    assert tried | {"boot.console"} <= more.features(Verdict.VERIFIED), more.reasons()
