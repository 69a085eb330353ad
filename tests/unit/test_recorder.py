"""The record of a case whose worker process died under it."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from harness.lab.manifest import RunManifest
from harness.lab.run_choices import RunChoices
from harness.plugin.recorder import Recorder
from harness.profiles.claims import HypervisorKind
from harness.profiles.loader import load_profiles
from harness.profiles.variants import variants_on
from harness.results.outcome_log import outcomes_so_far
from harness.results.outcomes import Outcome
from tests.unit.builders import STARTED, a_context, an_environment

GUESTS = ("debian-12", "debian-12-i386")


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    context = a_context(tmp_path, reports=tmp_path)
    profiles = [profile for profile in load_profiles() if profile.id in GUESTS]
    guests = [(profile, variants_on(profile, HypervisorKind.QEMU)) for profile in profiles]
    manifest = RunManifest(
        started=STARTED,
        choices=RunChoices(guests=GUESTS),
        environment=an_environment(),
        code="",
    )
    return Recorder(context, guests, "", manifest)


@pytest.mark.parametrize(
    ("nodeid", "guest", "variant", "parameters"),
    [
        ("suites/a.py::test_it[debian-12-uefi]", "debian-12", "uefi", ""),
        ("suites/a.py::test_it[debian-12-bios-e1000]", "debian-12", "bios", "e1000"),
        ("suites/a.py::test_it[debian-12-i386-bios-pc]@group", "debian-12-i386", "bios", "pc"),
        ("suites/a.py::test_it", "debian-12", "bios", ""),
    ],
)
def test_it_is_broken_and_counts_for_its_own_guest(
    recorder: Recorder, nodeid: str, guest: str, variant: str, parameters: str
) -> None:
    recorder.take(Mock(spec=["nodeid", "when", "longreprtext"], nodeid=nodeid, when="???",
                       longreprtext="worker 'gw0' crashed"))  # fmt: skip
    (lost,) = recorder.outcomes
    assert (lost.outcome, lost.case) == (Outcome.BROKEN, "suites/a.py::test_it")
    assert (lost.guest, lost.variant, lost.parameters) == (guest, variant, parameters)
    assert "worker 'gw0' crashed" in lost.reason
    assert recorder.directory.outcomes.read_text("utf-8").count("\n") == 1
    assert outcomes_so_far(recorder.directory) == (), "it tells nothing, and is run again"
