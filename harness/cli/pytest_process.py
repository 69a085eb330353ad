"""Runs pytest for a certification: shows its progress, hands stops on, tells the verdict."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import typer

from harness.cli.output import echo
from harness.cli.progress import Progress
from harness.errors import HarnessError, UsageError
from harness.hypervisors.opening import open_hypervisor
from harness.image_store.places import store_root
from harness.lab.context import live_folder
from harness.lab.reaper import reap_run
from harness.reporting.terminal import summary
from harness.results.store import RunDirectory, exit_code, read_run

PYTEST = (sys.executable, "-m", "pytest")

PYTEST_USAGE = 4
INTERRUPTED = 130
"""What shells report of a command that Ctrl-C ended."""


def run_pytest(
    command: list[str], folder: Path, directory: RunDirectory, hypervisor: str | None
) -> int:
    """Run pytest's `command` in `folder` until it ends; returns guestcert's exit status.

    Raises UsageError or HarnessError where it ended without a record of the run.
    """
    run = directory.path.name
    log = directory.path / "pytest.log"
    said_before = log.stat().st_size if log.exists() else 0
    judged_before = _judged(directory)
    with log.open("ab") as output, _Stops() as stops:
        process = subprocess.Popen(
            command,
            cwd=folder,
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
            f"guestcert: to go on with it: guestcert resume {run}"
        )
        return INTERRUPTED
    if _judged(directory) == judged_before:
        return _explain(process.returncode, log, said_before)
    record = read_run(directory)
    typer.echo(summary(record, directory, colour=_colour()))
    return exit_code(record)


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


def _explain(status: int, log: Path, begin: int) -> int:
    """Pytest ended without a record: say what it said, from byte `begin` of its log on."""
    text = log.read_bytes()[begin:].decode("utf-8", errors="replace")
    said = text.strip().splitlines()
    telling = [line for line in said if line.startswith(("ERROR", "Exit:", "!", "E "))] or said
    sentence = "\n".join(telling[-6:]) or f"pytest ended with {status} and said nothing"
    if status == PYTEST_USAGE:
        raise UsageError(sentence, evidence=log)
    raise HarnessError(sentence, evidence=log)


def _colour() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
