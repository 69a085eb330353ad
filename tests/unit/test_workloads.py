"""Programs carried into guests, run here by this machine's shell and Python."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MethodType
from typing import cast
from unittest.mock import Mock

import pytest

from harness.channels.base import CommandResult
from harness.errors import GuestFailure, GuestTimeout, HarnessError, NotApplicable
from harness.guests.background import CarriedProgram, Interpreter
from harness.guests.guest import Guest
from harness.guests.linux.system import LinuxOs
from harness.guests.os import background
from harness.time_accounting import TimeLedger
from harness.waiting import Deadline, NotYet, wait_until
from harness.workloads import counter
from harness.workloads.counter import Counter, open_echo_connection, start_counting
from harness.workloads.program import Carried, RunningProgram, carry, program
from harness.workloads.recorder import Recorder


def run_here(arguments: Sequence[str], *, stdin: bytes = b"", seconds: float = 30) -> CommandResult:
    """Run a program on this machine."""
    done = subprocess.run(
        list(arguments), input=stdin, capture_output=True, timeout=seconds, check=False
    )
    return CommandResult(tuple(arguments), done.returncode, done.stdout, done.stderr)


@pytest.fixture
def guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guest]:
    """This machine as a guest, with its outputs in a folder of the test's."""
    monkeypatch.setattr(background, "IN_MEMORY", str(tmp_path / "memory"))
    monkeypatch.setattr(background, "ON_DISK", str(tmp_path / "disk"))
    mock = Mock(budget=Deadline, crash_watch=lambda: None, ledger=TimeLedger())
    mock.name, mock.os = "here", LinuxOs(run_here)
    mock.crash_expected, mock.wait_for = False, MethodType(Guest.wait_for, mock)
    yield cast(Guest, mock)
    for process in processes_with(str(tmp_path)):
        os.kill(process, signal.SIGKILL)


def processes_with(text: str) -> list[int]:
    """The processes with this in their arguments."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if text.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def carry_text(guest: Guest, text: str, interpreter: Interpreter = Interpreter.SHELL) -> Carried:
    """A program of this text, carried."""
    carried = Carried(guest, CarriedProgram("planted", {interpreter: text}))
    guest.os.background.install(carried.program)
    return carried


def await_end(running: RunningProgram) -> None:
    def ended() -> None:
        if Path(f"/proc/{running.process}").exists():
            raise NotYet("it runs")

    wait_until(ended, awaited="the program to end", deadline=Deadline(10))


def test_a_counter_counts_until_it_is_stopped(guest: Guest) -> None:
    counting = start_counting(guest)
    assert counting.await_beyond(counting.value()) > 1
    counting.running.stop()
    await_end(counting.running)
    assert counting.value() == counting.value()


def test_an_echo_is_counted_until_the_connection_is_lost(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counter, "PORT", 45699)
    monkeypatch.setattr(counter, "address_of", lambda guest: "127.0.0.1")
    echoed = open_echo_connection(guest, guest)
    assert echoed.await_beyond(echoed.value()) > 1
    (server,) = processes_with("echo_server.program\x0045699")
    guest.os.background.stop(server)

    def lost() -> None:
        try:
            value = echoed.value()
        except GuestFailure:
            return
        raise NotYet(str(value))

    wait_until(lost, awaited="the loss", deadline=Deadline(10))
    with pytest.raises(GuestFailure, match="in here the connection was lost: 'closed'"):
        echoed.value()


def test_an_event_that_does_not_come_is_the_given_error_with_the_output(guest: Guest) -> None:
    running = carry_text(guest, 'echo "{\\"event\\": \\"other\\"}"; echo trouble >&2').start()
    await_end(running)
    with pytest.raises(GuestTimeout, match=r"to report ready or done, last saw .*trouble"):
        running.await_event("ready", "done", seconds=0)
    with pytest.raises(HarnessError):
        running.await_event("ready", seconds=0, error=HarnessError)
    assert running.await_event("ready", "other", seconds=1).text("event") == "other"


def test_only_complete_lines_that_are_objects_are_events(guest: Guest) -> None:
    running = carry_text(guest, 'printf \'null\\n[]\\nx\\n{"event": "a"}\\n{"event": "b"}\'')
    started = running.start()
    await_end(started)
    assert [event.text("event") for event in started.events()] == ["a"]


def test_only_the_newest_part_of_an_output_is_read(guest: Guest) -> None:
    running = carry_text(
        guest, 'for n in $(seq 500); do echo "{\\"event\\": \\"$n\\"}"; done'
    ).start()
    await_end(running)
    events = running.events(limit=100)
    assert len(events) < 10
    assert events[-1].text("event") == "500"


def test_arguments_are_passed_unchanged(guest: Guest) -> None:
    running = carry_text(
        guest, "import json, sys\nprint(json.dumps({'event': sys.argv[1]}))", Interpreter.PYTHON
    )
    started = running.start("a 'b' \"$(id)\" \\ ;")
    event = started.await_event("a 'b' \"$(id)\" \\ ;", seconds=10)
    assert event.text("value") == ""


def test_a_missing_interpreter_is_the_harness_s_trouble(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_python(
        arguments: Sequence[str], *, stdin: bytes = b"", seconds: float = 30
    ) -> CommandResult:
        if arguments[0] == "python3":
            return CommandResult(tuple(arguments), 127, b"", b"not found")
        return run_here(arguments, stdin=stdin, seconds=seconds)

    monkeypatch.setattr(guest, "os", LinuxOs(no_python))
    with pytest.raises(HarnessError, match="no Python to run network_prober with"):
        carry(guest, "network_prober")
    assert carry(guest, "counting").program.name == "counting"


def test_a_program_without_a_version_for_the_system_does_not_apply(guest: Guest) -> None:
    with pytest.raises(NotApplicable, match="planted has no version for Linux"):
        carry_text(guest, "", Interpreter.POWERSHELL)
    with pytest.raises(HarnessError, match="no program is named nothing"):
        program("nothing")


def test_records_on_the_disk_outlive_the_outputs_in_memory(guest: Guest) -> None:
    text = 'for n in 1 2 3; do echo "{\\"event\\": \\"record\\", \\"value\\": $n}"; done; printf x'
    running = carry_text(guest, text).start(on_disk=True)
    await_end(running)
    subprocess.run(["rm", "-r", background.IN_MEMORY], check=True)
    guest.console.since.return_value = b"kept 1.\r\nkept 2.\r\nkept 3"  # type: ignore[attr-defined]
    recorder = Recorder(running, 0)
    assert recorder.records() == [1, 2, 3]
    assert recorder.acknowledged() == 2


def test_load_ends_with_all_of_its_processes_once_it_is_stopped(guest: Guest) -> None:
    text = program("load").texts[Interpreter.SHELL].replace("/var/tmp/", f"{background.IN_MEMORY}/")
    running = carry_text(guest, text).start()
    children = Path(f"/proc/{running.process}/task/{running.process}/children")

    def started() -> list[str]:
        found = children.read_text().split()
        if len(found) < (os.cpu_count() or 1) + 2:
            raise NotYet(f"{len(found)} children")
        return found

    busy = wait_until(started, awaited="the load", deadline=Deadline(10))
    running.stop()
    await_end(running)

    def left() -> None:
        if alive := [child for child in busy if Path(f"/proc/{child}").exists()]:
            raise NotYet(f"{alive} run")

    wait_until(left, awaited="its processes to end", deadline=Deadline(10))
    assert not any(Path(f"/proc/{child}").exists() for child in busy)


def test_a_count_of_nothing_yet_is_zero(guest: Guest) -> None:
    running = carry_text(guest, "exit 0").start()
    await_end(running)
    assert Counter(running).value() == 0
