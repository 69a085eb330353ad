"""Text of guests and foreign files never acts on a terminal, whichever way it gets there."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import Mock

import pytest
from _pytest._code import ExceptionInfo
from typer.testing import CliRunner

from harness.cli import app, pytest_process
from harness.cli.failures import report_failure
from harness.cli.output import echo
from harness.errors import (
    BadFileError,
    Blocked,
    ChannelError,
    GuestCrashed,
    GuestFailure,
    HarnessError,
    NotApplicable,
    UsageError,
)
from harness.plugin.controller import Controller
from harness.profiles.places import project_root
from harness.results.model import Metric, Verdict
from harness.results.outcomes import Outcome
from harness.results.store import RunDirectory, read_run
from tests.process.inner_pytest import run_cases
from tests.unit.builders import a_certificate, a_run, a_verdict, an_environment, an_outcome
from tests.unit.hostile import ACTING, ESCAPES

CASES = f"""
import warnings

import pytest

from harness.errors import Blocked, ChannelError, GuestCrashed, NotApplicable

SAID = {ESCAPES!r}


@pytest.mark.feature("boot.ready")
def test_assertion(target):
    print("output " + SAID)
    assert not SAID, "the guest said " + SAID


def test_lines(target):
    assert "first\\n" + SAID + "\\n" == "second\\n"


def test_crash(target):
    raise GuestCrashed("the kernel panicked: " + SAID)


def test_channel(target):
    try:
        raise ChannelError("no answer but " + SAID)
    except ChannelError as error:
        raise ValueError(SAID) from error


def test_blocked(target):
    raise Blocked("boot.console", SAID)


def test_not_applicable(target):
    raise NotApplicable("the guest said " + SAID)


@pytest.fixture
def broken(target):
    raise RuntimeError(SAID)


def test_setup(broken):
    pass
"""


@pytest.mark.parametrize("how", [["-ra"], ["-ra", "--tb=short", "--showlocals"], ["-ra", "-v"]])
def test_pytest_shows_a_guest_s_words_safely(tmp_path: Path, how: list[str]) -> None:
    done = run_cases(tmp_path / "inner", CASES, *how)
    assert done.returncode == 1, done.stdout + done.stderr
    for part in ("the guest said", "the kernel panicked", "no answer but", "output", "blocked"):
        assert part in done.stdout
    assert "␛[31mred" in done.stdout
    assert not ACTING.search(done.stdout + done.stderr)


def test_pytest_shows_an_error_of_the_harness_safely() -> None:
    try:
        raise RuntimeError(ESCAPES)
    except RuntimeError as error:
        shown = ExceptionInfo.from_exception(error).getrepr(style="long")
    Controller(Mock()).pytest_internalerror(shown)
    assert "␛[31mred" in str(shown)
    assert ESCAPES not in str(shown)


@pytest.mark.parametrize(
    "error",
    [
        GuestCrashed(ESCAPES, evidence=ESCAPES),
        GuestFailure(ESCAPES),
        ChannelError(ESCAPES, remedy=ESCAPES, evidence=ESCAPES),
        BadFileError(Path("a" + ESCAPES.replace("\0", "")), 1, ESCAPES, ESCAPES),
        Blocked("boot.ready", ESCAPES),
        NotApplicable(ESCAPES),
    ],
)
def test_an_error_quotes_safely(error: Exception) -> None:
    assert not ACTING.search(str(error))
    assert not ACTING.search(getattr(error, "sentence", ""))


@pytest.mark.parametrize(
    "error", [UsageError(ESCAPES), OSError(5, ESCAPES, ESCAPES), RuntimeError(ESCAPES)]
)
def test_the_command_s_last_words_are_safe(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report_failure(error, None) == (2 if isinstance(error, UsageError) else 3)
    answer = capsys.readouterr().err
    assert "␛[31mred" in answer
    assert not ACTING.search(answer)


def test_pytest_s_log_is_repeated_safely(tmp_path: Path) -> None:
    log = tmp_path / "pytest.log"
    log.write_bytes(f"ERROR {ESCAPES}\n".encode() + b"ERROR \x9b2J\n")
    with pytest.raises(HarnessError) as caught:
        pytest_process._explain(1, log.read_text("utf-8", errors="replace"), log)
    assert "␛[31mred" in str(caught.value)
    assert not ACTING.search(str(caught.value))


def write_foreign(folder: Path, outcome: Outcome, verdict: Verdict, metric: float) -> Path:
    """Write the run.json of somebody else's program, hostile in every word that it may choose."""
    made = an_outcome(
        outcome,
        "boot.HOSTILE",
        guest="HOSTILE",
        case="HOSTILE",
        parameters="HOSTILE",
        title="HOSTILE",
        reason=f"{verdict} HOSTILE",
        evidence=["HOSTILE"],
        metrics=[Metric(name="HOSTILE", value=metric, unit="HOSTILE")],
    ).model_copy(update={"rerun": "HOSTILE", "variant": "HOSTILE"})
    seen = a_verdict(verdict, "boot.HOSTILE", guest="HOSTILE", reason="HOSTILE")
    alone = a_verdict(guest=f"{verdict}HOSTILE")
    run = a_run(
        made,
        verdicts=[seen.model_copy(update={"variant": "HOSTILE"}), alone],
        certificates=[a_certificate(guest="HOSTILE", reasons=["HOSTILE"])],
        environment=an_environment(kernel=f"{verdict}HOSTILE"),
        selection=f"{verdict}HOSTILE",
    ).model_copy(update={"run": f"{verdict}HOSTILE"})
    text = run.model_dump_json(by_alias=True).replace("HOSTILE", json.dumps(ESCAPES)[1:-1])
    folder.mkdir()
    file = RunDirectory(folder).run_json
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_a_foreign_run_is_compared_safely(tmp_path: Path, form: str) -> None:
    write_foreign(tmp_path / "base", Outcome.PASSED, Verdict.VERIFIED, 1)
    write_foreign(tmp_path / "head", Outcome.FAILED, Verdict.VIOLATED, 9)
    folders = [str(tmp_path / name) for name in ("base", "head")]
    done = CliRunner().invoke(app, ["compare", *folders, "--format", form])
    assert done.exit_code == 1, done.output
    assert not ACTING.search(done.output)
    assert "[31mred" in done.output


def test_a_record_from_elsewhere_holds_nothing_that_acts(tmp_path: Path) -> None:
    file = write_foreign(tmp_path / "foreign", Outcome.FAILED, Verdict.VIOLATED, 1)
    assert not ACTING.search(read_run(RunDirectory(file.parent)).model_dump_json())


def test_a_command_s_lines_are_safe(capsys: pytest.CaptureFixture[str]) -> None:
    echo(f"volume id {ESCAPES}")
    answer = capsys.readouterr().out
    assert answer.startswith("volume id ␛[31mred")
    assert not ACTING.search(answer)


def test_no_command_prints_past_that() -> None:
    folder = project_root() / "harness" / "cli"
    past = {file.name for file in folder.glob("*.py") if "typer.echo(" in file.read_text("utf-8")}
    own_words_alone = {"__init__.py", "profiles.py", "pytest_process.py"}
    assert past - {"output.py"} <= own_words_alone
