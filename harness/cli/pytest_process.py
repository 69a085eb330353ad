"""Runs pytest for a certification: shows its progress, forwards stops, reports the verdict."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import typer

from harness.cli.output import echo
from harness.cli.progress import Progress
from harness.errors import HarnessError, UsageError
from harness.hypervisors.connection import open_hypervisor
from harness.image_store.places import store_root
from harness.lab.context import live_folder
from harness.lab.reaper import reap_run
from harness.profiles.places import project_root
from harness.reporting.terminal import summary
from harness.results.model import RunRecord
from harness.results.store import RunDirectory, exit_code, read_run

PYTEST = (sys.executable, "-P", "-m", "pytest")
"""Imports nothing from the current folder; pytest itself puts the project's folder there."""

WRONG_USAGE = 4
"""pytest.ExitCode.USAGE_ERROR, whose import would slow every command down."""

INTERRUPTED = 130
"""What shells report of a command that Ctrl-C ended."""

NOISE = ("usage:", "inifile:", "rootdir:")
"""Lines around what pytest says of a wrong argument, which do not help."""


def run_pytest(arguments: Sequence[str], directory: RunDirectory, hypervisor: str | None) -> int:
    """Run pytest in the project's folder until it ends; returns guestcert's exit status.

    Raises UsageError or HarnessError where it ended without a record of the run.
    """
    run = directory.path.name
    log = directory.path / "pytest.log"
    logged_before = log.stat().st_size if log.exists() else 0
    judged_before = _judged(directory)
    with log.open("ab") as output, _Stops() as stops:
        process = subprocess.Popen(
            [*PYTEST, *arguments],
            cwd=project_root(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        stops.forward_to(process)
        try:
            _show(process, directory, run)
        except OSError:  # nobody can follow it: the pipe is closed, or the disk full
            process.send_signal(signal.SIGINT)
            process.wait()
            raise
        stopped = stops.came
    if stopped:
        _reap(hypervisor, run)
        echo(
            f"guestcert: stopped; nothing is left running. Report: {directory.path}\n"
            f"guestcert: to resume it: guestcert resume {run}"
        )
        return INTERRUPTED
    if _judged(directory) == judged_before:
        text = log.read_bytes()[logged_before:].decode("utf-8", errors="replace")
        return _explain(process.returncode, text, log)
    return show_verdict(read_run(directory), directory)


def show_verdict(record: RunRecord, directory: RunDirectory) -> int:
    """Show what a run found; returns guestcert's exit status."""
    typer.echo(summary(record, directory, colour=_colour()))
    return exit_code(record)


def check_selection(arguments: Sequence[str]) -> None:
    """Let pytest collect the cases and run none.

    Raises UsageError where it would not understand its arguments, or where no case is left.
    """
    done = subprocess.run(
        [*PYTEST, *arguments, "--numprocesses=0", "--collect-only", "-q"],
        cwd=project_root(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        _explain(done.returncode, done.stdout + done.stderr, None)


def call_pytest(arguments: Sequence[str]) -> int:
    """Run pytest with the terminal for itself; returns its exit status, guestcert's where wrong."""
    status = subprocess.call([*PYTEST, *arguments], cwd=project_root())
    return UsageError.exit_code if status == WRONG_USAGE else status


class _Stops:
    """Ctrl-C and SIGTERM, kept and handed on to pytest as Ctrl-C, at which it cleans up.

    Entered before pytest is started: a background job begins with Ctrl-C ignored, and what is
    ignored would stay so in pytest; what has a handler is not.
    """

    def __init__(self) -> None:
        self.came = False
        self._process: subprocess.Popen[bytes] | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> _Stops:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def forward_to(self, process: subprocess.Popen[bytes]) -> None:
        """From now on, and what came before too."""
        self._process = process
        if self.came:
            process.send_signal(signal.SIGINT)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.came = True
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)


def _show(process: subprocess.Popen[bytes], directory: RunDirectory, run: str) -> None:
    """Show progress until pytest ends."""
    with Progress(directory, live_folder(store_root(), run)) as progress:
        while True:
            try:
                process.wait(timeout=0.5)
                break
            except subprocess.TimeoutExpired:
                progress.update()
        progress.update()


def _reap(hypervisor: str | None, run: str) -> None:
    """Take away what the stopped pytest did not get to."""
    connection = open_hypervisor(hypervisor)
    reaped = reap_run(connection, store_root(), run)
    connection.close()
    if reaped.failed:
        raise HarnessError("not everything could be removed: " + "; ".join(reaped.failed))


def _judged(directory: RunDirectory) -> int | None:
    """When run.json was written, in nanoseconds; None where it was not."""
    return directory.run_json.stat().st_mtime_ns if directory.run_json.exists() else None


def _explain(status: int, text: str, log: Path | None) -> NoReturn:
    """Raise what pytest's last words say, where it ended without a record.

    Wrong usage is the user's; all else is the harness's.
    """
    lines = text.strip().splitlines()
    marks = [n for n, line in enumerate(lines) if line.startswith(("ERROR", "Exit:", "!", "E "))]
    if status == WRONG_USAGE and marks:
        lines = lines[marks[-1] :]  # to its end: the second line may say what is wrong
    else:
        lines = [lines[n] for n in marks] or lines
    telling = [line.removeprefix("ERROR: ") for line in lines if line.strip()]
    telling = [line for line in telling if not line.strip().startswith(NOISE)]
    sentence = "\n".join(telling[-6:]) or f"pytest ended with {status} and said nothing"
    if status == WRONG_USAGE:
        raise UsageError(sentence.rpartition("pytest: error: ")[2], evidence=log)
    raise HarnessError(sentence, evidence=log)


def _colour() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
