"""The record of a case whose worker process died under it, and of the workers' environments."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from harness.lab.manifest import RunManifest
from harness.lab.run_choices import RunChoices
from harness.lab.workspace import Workspace
from harness.plugin.case_index import CASES
from harness.plugin.recorder import Recorder
from harness.plugin.worker import ENVIRONMENT, RECORD
from harness.profiles.hardware import Firmware
from harness.profiles.variants import SelectedGuests
from harness.results.model import Completion, Environment, HostFacts, Status
from harness.results.outcome_log import attempts, outcomes_so_far
from harness.results.outcomes import Outcome
from tests.unit.builders import STARTED, a_context, a_profile, an_environment, an_outcome

GUESTS = ("debian-12", "debian-12-i386")
CASE = "suites/boot/test_power.py::test_it"
NODES = {
    f"{CASE}[debian-12-uefi]": an_outcome(feature="boot.reset", case=CASE, variant=Firmware.UEFI),
    f"{CASE}[debian-12-i386-bios-pc]@group": an_outcome(
        feature="boot.reset", case=CASE, guest="debian-12-i386", parameters="pc"
    ),
}


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    context = a_context(tmp_path, reports=tmp_path / "reports")
    Workspace(context.store, context.owner).create()
    context.reports.mkdir()
    (context.workspace / "cases.json").write_bytes(CASES.dump_json(dict(NODES)))
    guests: SelectedGuests = [
        (a_profile(guest), (Firmware.BIOS, Firmware.UEFI)) for guest in GUESTS
    ]
    manifest = RunManifest(
        started=STARTED,
        choices=RunChoices(guests=GUESTS),
        environment=an_environment(),
        code="",
    )
    return Recorder(context, guests, "", manifest)


def a_crash(nodeid: str) -> Mock:
    return Mock(
        spec=["nodeid", "when", "longreprtext"],
        nodeid=nodeid,
        when="???",
        longreprtext="worker 'gw0' crashed",
    )


def a_report(environment: Environment | None = None, **fields: object) -> Mock:
    """The last report of a case on debian-12, from a worker in this environment."""
    report = Mock(spec=["when", RECORD, ENVIRONMENT], when="teardown")
    setattr(report, RECORD, an_outcome(**fields).model_dump(mode="json"))  # type: ignore[arg-type]
    setattr(report, ENVIRONMENT, environment and environment.model_dump(mode="json"))
    return report


@pytest.mark.parametrize("nodeid", NODES)
def test_a_lost_case_is_broken_and_counts_for_its_own_guest(
    recorder: Recorder, nodeid: str
) -> None:
    recorder.take(a_crash(nodeid))
    (lost,) = recorder.outcomes
    assert (lost.outcome, lost.worker_lost) == (Outcome.BROKEN, True)
    assert lost.key == NODES[nodeid].key
    assert lost.feature == "boot.reset"
    assert "worker 'gw0' crashed" in lost.reason
    assert recorder.directory.outcomes.read_text("utf-8").count("\n") == 1
    assert outcomes_so_far(recorder.directory) == (), "it proves nothing, and is run again"


def test_a_case_that_is_repeated_counts_its_attempts(recorder: Recorder) -> None:
    recorder.take(a_report(ended=Outcome.BROKEN))
    resumed = Recorder(
        recorder.context, recorder.guests, "", recorder.manifest, [], attempts(recorder.directory)
    )
    resumed.take(a_report())
    resumed.take(a_report(parameters="other"))
    assert [outcome.attempt for outcome in resumed.outcomes] == [2, 1]


def test_the_environment_is_the_one_in_which_cases_ran(recorder: Recorder) -> None:
    elsewhere = an_environment(kernel="6.1").model_copy(update={"guests": {}})
    recorder.take(a_report(elsewhere))
    run = recorder.finish(None, Completion.COMPLETE)
    assert run.environment == elsewhere
    assert run.environment.host == HostFacts(kernel="6.1")


def test_cases_in_different_environments_certify_nothing(recorder: Recorder) -> None:
    for kernel in ("6.1", "6.2"):
        recorder.take(a_report(an_environment(kernel=kernel).model_copy(update={"guests": {}})))
    run = recorder.finish(None, Completion.COMPLETE)
    for certificate in run.certificates:
        assert certificate.status is Status.INCOMPLETE
        assert "different environments, by host.kernel" in certificate.reasons[0]
