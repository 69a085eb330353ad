"""From certificates and outcomes to the exit code."""

from __future__ import annotations

import errno
from unittest.mock import Mock

import pytest

from harness.errors import HarnessError
from harness.plugin import controller
from harness.plugin.controller import Controller
from harness.results.model import Completion, Status
from harness.results.outcomes import Outcome
from harness.results.store import exit_code
from tests.unit.builders import a_certificate, a_run, an_outcome


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status.CERTIFIED, 0),
        (Status.CERTIFIED_WITH_EXCEPTIONS, 0),
        (Status.NOT_CERTIFIED, 1),
        (Status.INCOMPLETE, 3),
    ],
)
def test_the_exit_code_is_the_certificates(status: Status, code: int) -> None:
    assert exit_code(a_run(an_outcome(), certificates=[a_certificate(status)])) == code


def test_one_guest_that_is_not_certified_decides_for_all() -> None:
    certificates = [
        a_certificate(Status.CERTIFIED),
        a_certificate(Status.NOT_CERTIFIED, "rhel-9"),
        a_certificate(Status.INCOMPLETE, "rhel-8"),
    ]
    assert exit_code(a_run(an_outcome(), certificates=certificates)) == 1


def test_one_guest_that_is_incomplete_leaves_all_unknown() -> None:
    certificates = [a_certificate(), a_certificate(Status.INCOMPLETE, "rhel-9")]
    assert exit_code(a_run(an_outcome(), certificates=certificates)) == 3


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([Outcome.PASSED, Outcome.KNOWN_ISSUE, Outcome.NOT_APPLICABLE], 0),
        ([Outcome.PASSED, Outcome.FAILED], 1),
        ([Outcome.FAILED, Outcome.BROKEN, Outcome.BLOCKED], 1),
        ([Outcome.PASSED, Outcome.BROKEN], 3),
        ([Outcome.PASSED, Outcome.BLOCKED], 3),
        ([Outcome.PASSED, Outcome.FLAKY], 3),
        ([Outcome.NOT_APPLICABLE], 3),
        ([], 3),
    ],
)
def test_of_a_part_of_the_suites_it_counts_what_ran(outcomes: list[Outcome], code: int) -> None:
    incomplete = [a_certificate(Status.INCOMPLETE)]
    ended = [an_outcome(outcome) for outcome in outcomes]
    assert exit_code(a_run(*ended, certificates=incomplete, selection="-k 'ready'")) == code


@pytest.mark.parametrize(
    ("selection", "completion", "code"),
    [
        ("-k 'ready'", Completion.INTERRUPTED, 3),
        ("-k 'ready'", Completion.STOPPED, 3),
        ("", Completion.INTERRUPTED, 3),
        ("-k 'interrupted (x)'", Completion.COMPLETE, 0),
    ],
)
def test_a_run_that_was_interrupted_tells_nothing(
    selection: str, completion: Completion, code: int
) -> None:
    run = a_run(
        an_outcome(),
        certificates=[a_certificate(Status.INCOMPLETE)],
        selection=selection,
        completion=completion,
    )
    assert exit_code(run) == code


def test_a_run_whose_reports_could_not_be_written_is_no_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(controller, "open_hypervisor", Mock(side_effect=HarnessError("gone")))
    recorder = Mock(outcomes=[an_outcome()])
    recorder.finish.side_effect = OSError(errno.ENOSPC, "No space left on device")
    session = Mock(testscollected=1, exitstatus=pytest.ExitCode.OK)
    Controller(recorder).pytest_sessionfinish(session)
    assert session.exitstatus == 3
