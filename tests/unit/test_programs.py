"""Programs that images are made with: ended whole, bounded, and given no secrets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.image_store import programs
from harness.image_store.programs import Confinement, ProgramFailed, run_program
from harness.waiting import Deadline, NotYet, wait_until

ROOT = Path(__file__).resolve().parents[2]

BUILD = """
trap 'echo cleaned >>"$1/cleaned"; exit 1' TERM
sh -c 'trap "" TERM; echo $$ >"$1/grandchild"
    while :; do read -r _ <>"$1/pipe" || :; done' sh "$1" &
echo $$ >"$1/child"
wait; wait
"""
"""A program that cleans up when it is stopped, with a child that ignores the request."""

CALLER = """
import signal, sys
from pathlib import Path
from harness.image_store import programs
programs.STOP_SECONDS = 3.0
signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
programs.run_program(["sh", "-c", sys.argv[1], "sh", sys.argv[2]])
"""


def gone(file: Path) -> None:
    try:
        os.kill(int(file.read_text()), 0)
    except ProcessLookupError:
        return
    raise NotYet("it runs")


def there(*files: Path) -> None:
    if not all(file.exists() and file.read_text() for file in files):
        raise NotYet("not yet started")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_build_cleans_up_and_ends_with_all_its_children(
    tmp_path: Path, number: signal.Signals
) -> None:
    os.mkfifo(tmp_path / "pipe")
    child, grandchild = tmp_path / "child", tmp_path / "grandchild"
    with subprocess.Popen(
        [sys.executable, "-c", CALLER, BUILD, str(tmp_path)], cwd=ROOT, stderr=subprocess.DEVNULL
    ) as caller:
        started = Deadline(30)
        wait_until(lambda: there(child, grandchild), awaited="the build", deadline=started)
        caller.send_signal(number)
        caller.wait(30)
    assert (tmp_path / "cleaned").read_text() == "cleaned\n", "it was not waited for"
    for file in (child, grandchild):
        wait_until(partial(gone, file), awaited="its end", deadline=Deadline(10))
        with pytest.raises(ProcessLookupError):
            os.kill(int(file.read_text()), 0)


def test_a_build_is_asked_to_end_when_its_caller_is_killed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    child, grandchild = tmp_path / "child", tmp_path / "grandchild"
    with subprocess.Popen([sys.executable, "-c", CALLER, BUILD, str(tmp_path)], cwd=ROOT) as caller:
        started = Deadline(30)
        wait_until(lambda: there(child, grandchild), awaited="the build", deadline=started)
        caller.kill()
        caller.wait(30)
    cleaned = tmp_path / "cleaned"
    wait_until(lambda: there(cleaned), awaited="its cleaning up", deadline=Deadline(30))
    os.kill(int(grandchild.read_text()), signal.SIGKILL)
    assert cleaned.read_text() == "cleaned\n"


def test_a_program_has_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "STOP_SECONDS", 1.0)
    with pytest.raises(ProgramFailed, match=r"took more than 1 s; its output: working") as failed:
        run_program(["sh", "-c", "echo working; exec tail -f /dev/null"], seconds=0.6)
    assert failed.value.status is None


def test_a_program_gets_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUESTCERT_HYPERV_PASSWORD", "secret")
    monkeypatch.setenv("GUESTCERT_KEY_WINDOWS_2022", "AAAAA-BBBBB")
    monkeypatch.setenv("CI_JOB_TOKEN", "token")
    monkeypatch.setenv("https_proxy", "http://proxy.test:3128")
    names = {line.partition("=")[0] for line in run_program(["env"]).splitlines()}
    assert {"PATH", "https_proxy"} <= names
    assert not {"GUESTCERT_HYPERV_PASSWORD", "GUESTCERT_KEY_WINDOWS_2022", "CI_JOB_TOKEN"} & names


def test_no_password_of_a_proxy_gets_into_logs_or_errors(tmp_path: Path) -> None:
    address = "http://user:pa%40ss@proxy.test:3128/x"
    log = tmp_path / "log"
    with pytest.raises(ProgramFailed) as failed:
        run_program(["sh", "-c", 'echo "E: from $1"; exit 1', "sh", address], log=log)
    for text in (log.read_text(), str(failed.value), failed.value.output):
        assert "pa%40ss" not in text
        assert "http://[redacted]@proxy.test:3128/x" in text


def test_endless_output_is_bounded_and_its_end_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "MOST_OUTPUT", 100_000)
    monkeypatch.setattr(programs, "KEPT_OUTPUT", 1000)
    lines: list[str] = []
    script = "yes 'a line' | head -c 3000000; printf '%0300d' 0; echo; echo the end"
    text = run_program(["sh", "-c", script], line=lines.append)
    assert len(text) <= 100_000
    assert text.startswith("a line\n")
    assert text.endswith("the end\n")
    assert lines[-1] == "the end"
    assert len(lines[-2]) == programs.MOST_LINE


def test_a_confined_program_gets_no_more_than_it_may(tmp_path: Path) -> None:
    tight = Confinement(memory=64 * 2**20, file_size=4096, user=None)
    with pytest.raises(ProgramFailed):
        run_program(["dd", "if=/dev/zero", "of=out", "bs=9000"], confinement=tight, folder=tmp_path)
    assert (tmp_path / "out").stat().st_size == 4096
    with pytest.raises(ProgramFailed):
        run_program([sys.executable, "-c", "bytes(10**9)"], confinement=tight)


def test_a_missing_program_is_named() -> None:
    with pytest.raises(HarnessError, match="no-such-program is not installed"):
        run_program(["no-such-program"])
