"""`guestcert resume` makes its command of the manifest's choices, and refuses all else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from harness.cli import app
from harness.errors import GuestcertError, UsageError
from harness.lab.manifest import RunManifest, write_manifest
from harness.lab.run_choices import RunChoices
from harness.results.model import Completion, Status
from harness.results.outcomes import Outcome
from harness.results.store import RunDirectory, write_run
from tests.unit.builders import STARTED, a_certificate, a_run, an_environment, an_outcome

RUN = "20240501-220000-abcd"
CHOICES = RunChoices(guests=("debian-12",), keyword="ready", workers=2)

Started = list[tuple[list[str], RunDirectory, str | None]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """What pytest was started with."""
    calls: Started = []

    def run_pytest(arguments: Sequence[str], directory: RunDirectory, uri: str | None) -> int:
        calls.append((list(arguments), directory, uri))
        return 0

    monkeypatch.setattr("harness.cli.resume.run_pytest", run_pytest)
    return calls


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
    found = RunDirectory(tmp_path / RUN)
    found.create()
    return found


def manifest_in(
    directory: RunDirectory, *untyped: str, choices: RunChoices = CHOICES
) -> RunManifest:
    manifest = RunManifest(
        started=STARTED, choices=choices, untyped=untyped, environment=an_environment(), code=""
    )
    write_manifest(manifest, directory)
    return manifest


def resume(directory: RunDirectory, *arguments: str) -> Result:
    reports = f"--reports={directory.path.parent}"
    return CliRunner().invoke(app, ["resume", reports, *arguments])


def refusal(result: Result) -> GuestcertError:
    assert isinstance(result.exception, UsageError), result.output
    return result.exception


def test_it_is_as_it_was_asked_for_and_the_same_run(
    directory: RunDirectory, started: Started
) -> None:
    manifest_in(directory)
    assert resume(directory).exit_code == 0
    ((arguments, where, uri),) = started
    assert where == directory
    assert uri is None
    own = [f"--run-id={RUN}", f"--reports={directory.path.parent}", "--resume"]
    assert arguments == [*CHOICES.pytest_arguments(), *own]


def test_other_workers_may_be_asked_for(directory: RunDirectory, started: Started) -> None:
    manifest_in(directory)
    assert resume(directory, "-n", "0", RUN).exit_code == 0
    assert "--numprocesses=0" in started[0][0]


def test_arguments_of_pytest_are_given_again_or_it_is_refused(
    directory: RunDirectory, started: Started
) -> None:
    manifest_in(directory, "-p", "a plugin")
    for given in ((), ("-p", "another"), ("-p",)):
        refused = refusal(resume(directory, RUN, *(("--", *given) if given else ())))
        assert f"guestcert resume {RUN} -- -p 'a plugin'" in str(refused.remedy)
    assert started == []
    assert resume(directory, RUN, "--", "-p", "a plugin").exit_code == 0
    assert started[0][0][-2:] == ["-p", "a plugin"]


def test_arguments_that_the_run_did_not_have_are_refused(
    directory: RunDirectory, started: Started
) -> None:
    manifest_in(directory)
    assert "nothing" in refusal(resume(directory, "--", "--lf")).sentence
    assert started == []


@pytest.mark.parametrize(
    "address",
    [
        "qemu+ext:///system?command=/tmp/evil",
        "qemu+ssh://host/system?command=/tmp/evil",
        "qemu+unix:///system?socket=/tmp/evil",
        "qemu:///system?socket=/tmp/evil",
        "test:///default",
        "QEMU:///system",
    ],
)
def test_an_address_is_not_taken_from_a_file_but_from_the_user(
    directory: RunDirectory, started: Started, address: str
) -> None:
    manifest_in(directory, choices=CHOICES.model_copy(update={"hypervisor": address}))
    assert "not taken from a file" in refusal(resume(directory)).sentence
    assert started == []
    assert resume(directory, "--hypervisor", address).exit_code == 0
    assert started[0][2] == address


@pytest.mark.parametrize(
    "address", ["qemu:///system", "qemu:///session", "hyperv://admin@host/?auth=ntlm"]
)
def test_an_address_that_means_a_hypervisor_and_nothing_else_is_taken(
    directory: RunDirectory, started: Started, address: str
) -> None:
    manifest_in(directory, choices=CHOICES.model_copy(update={"hypervisor": address}))
    assert resume(directory).exit_code == 0
    assert started[0][2] == address
    assert f"--hypervisor={address}" in started[0][0]


@pytest.mark.parametrize(
    ("outcome", "status", "code"),
    [
        (Outcome.PASSED, Status.CERTIFIED, 0),
        (Outcome.FAILED, Status.NOT_CERTIFIED, 1),
        (Outcome.FLAKY, Status.INCOMPLETE, 3),
    ],
)
def test_a_finished_run_is_left_as_it_is_and_ends_as_it_ended(
    directory: RunDirectory, started: Started, outcome: Outcome, status: Status, code: int
) -> None:
    manifest_in(directory)
    write_run(a_run(an_outcome(outcome), certificates=[a_certificate(status)]), directory)
    before = {file: file.stat().st_mtime_ns for file in directory.path.iterdir()}
    result = resume(directory)
    assert result.exit_code == code
    assert "nothing is left to do" in result.output
    assert {file: file.stat().st_mtime_ns for file in directory.path.iterdir()} == before
    assert started == []


def test_a_run_that_was_interrupted_is_not_finished(
    directory: RunDirectory, started: Started
) -> None:
    manifest_in(directory)
    write_run(a_run(an_outcome(), completion=Completion.INTERRUPTED), directory)
    assert resume(directory).exit_code == 0
    assert len(started) == 1


def test_the_arguments_of_a_trap_in_the_current_folder_are_not_run(
    directory: RunDirectory, started: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest_in(directory)
    trap = RunDirectory(tmp_path / "shared" / "latest")
    trap.create()
    manifest_in(trap)
    monkeypatch.chdir(tmp_path / "shared")
    assert resume(directory).exit_code == 0
    assert started[0][1] == directory
    assert isinstance(resume(directory, "latest").exception, UsageError)
