"""The pytest process of a certification: its progress, signals and verdict."""

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
from harness.cli.progress import RunProgress
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
"""-P: imports nothing from the current folder; pytest adds the project's folder itself."""

WRONG_USAGE = 4
"""pytest.ExitCode.USAGE_ERROR, whose import would slow every command down."""

INTERRUPTED = 130
"""Exit status of a command that Ctrl-C ended, as in shells."""

NOISE = ("usage:", "inifile:", "rootdir:")
"""Lines around pytest's error about a wrong argument, which are left out."""


def run_pytest(arguments: Sequence[str], directory: RunDirectory, hypervisor: str | None) -> int:
    """Run pytest in the project's folder until it ends; returns guestcert's exit status.

    Raises UsageError or HarnessError where it ended without a record of the run.
    """
    run = directory.path.name
    log = directory.path / "pytest.log"
    logged_before = log.stat().st_size if log.exists() else 0
    judged_before = _judged(directory)
    with log.open("ab") as output, _StopSignals() as stops:
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
        except OSError:  # progress cannot be shown: the pipe is closed, or the disk full
            process.send_signal(signal.SIGINT)
            process.wait()
            raise
        stopped = stops.received
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
    """Show a run's summary; returns guestcert's exit status."""
    typer.echo(summary(record, directory, colour=_colour()))
    return exit_code(record)


def check_selection(arguments: Sequence[str]) -> None:
    """Let pytest collect the cases without running them.

    Raises UsageError where pytest refuses its arguments, or where no case is selected.
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
    """Run pytest in the terminal; returns its exit status, guestcert's for wrong usage."""
    status = subprocess.call([*PYTEST, *arguments], cwd=project_root())
    return UsageError.exit_code if status == WRONG_USAGE else status


class _StopSignals:
    """Forwards Ctrl-C and SIGTERM to pytest as Ctrl-C, on which it cleans up.

    Entered before pytest is started: a background job starts with Ctrl-C ignored, which pytest
    would inherit, while a signal with a handler is reset to its default.
    """

    def __init__(self) -> None:
        self.received = False
        self._process: subprocess.Popen[bytes] | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> _StopSignals:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def forward_to(self, process: subprocess.Popen[bytes]) -> None:
        """Forward signals to this process, one that was received earlier too."""
        self._process = process
        if self.received:
            process.send_signal(signal.SIGINT)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.received = True
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)


def _show(process: subprocess.Popen[bytes], directory: RunDirectory, run: str) -> None:
    """Show progress until pytest ends."""
    with RunProgress(directory, live_folder(store_root(), run)) as progress:
        while True:
            try:
                process.wait(timeout=0.5)
                break
            except subprocess.TimeoutExpired:
                progress.update()
        progress.update()


def _reap(hypervisor: str | None, run: str) -> None:
    """Remove what the stopped pytest left."""
    connection = open_hypervisor(hypervisor)
    reaped = reap_run(connection, store_root(), run)
    connection.close()
    if reaped.failed:
        raise HarnessError("not everything could be removed: " + "; ".join(reaped.failed))


def _judged(directory: RunDirectory) -> int | None:
    """Modification time of run.json in nanoseconds; None where it is missing."""
    return directory.run_json.stat().st_mtime_ns if directory.run_json.exists() else None


def _explain(status: int, text: str, log: Path | None) -> NoReturn:
    """Raise pytest's last error, where it ended without a record.

    UsageError for wrong usage, HarnessError for anything else.
    """
    lines = text.strip().splitlines()
    marks = [n for n, line in enumerate(lines) if line.startswith(("ERROR", "Exit:", "!", "E "))]
    if status == WRONG_USAGE and marks:
        lines = lines[marks[-1] :]  # to its end: the second line may hold the reason
    else:
        lines = [lines[n] for n in marks] or lines
    relevant = [line.removeprefix("ERROR: ") for line in lines if line.strip()]
    relevant = [line for line in relevant if not line.strip().startswith(NOISE)]
    sentence = "\n".join(relevant[-6:]) or f"pytest ended with {status} and without a message"
    if status == WRONG_USAGE:
        raise UsageError(sentence.rpartition("pytest: error: ")[2], evidence=log)
    raise HarnessError(sentence, evidence=log)


def _colour() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
