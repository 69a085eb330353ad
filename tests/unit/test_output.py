"""Where a command writes, and how it ends where that fails: never with a verdict."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli import app, pytest_process
from harness.cli.output import write_output
from harness.errors import UsageError
from harness.results.store import RunDirectory, write_run, write_text
from tests.unit.builders import a_run, a_verdict

GUESTCERT = [sys.executable, "-c", "from harness.cli import main; main()"]


def test_a_regular_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "matrix.md"
    file.write_text("old", encoding="utf-8")
    file.chmod(0o600)
    with file.open(encoding="utf-8") as reader:
        write_output("new", file)
        assert reader.read() == "old", "who reads it sees the old content or the new"
    assert file.read_text(encoding="utf-8") == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    target, link, dangling = (tmp_path / name for name in ("there.md", "link.md", "dangling.md"))
    target.write_text("old and longer", encoding="utf-8")
    link.symlink_to(target)
    dangling.symlink_to(tmp_path / "new.md")
    write_output("new", link)
    write_output("new", dangling)
    assert link.is_symlink() and dangling.is_symlink()
    assert target.read_text(encoding="utf-8") == "new"
    assert (tmp_path / "new.md").read_text(encoding="utf-8") == "new"


def test_a_device_is_written_to_and_stays() -> None:
    write_output("new", Path("/dev/null"))
    assert stat.S_ISCHR(os.lstat("/dev/null").st_mode)
    with pytest.raises(OSError, match="No space left"):
        write_output("new", Path("/dev/full"))
    assert stat.S_ISCHR(os.lstat("/dev/full").st_mode)


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True) as reader:
        write_output("new", pipe)
        assert reader.communicate(timeout=20)[0] == "new"
    assert stat.S_ISFIFO(os.lstat(pipe).st_mode)


def test_no_folder_is_made_for_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lies in no folder"):
        write_output("new", tmp_path / "misspelt" / "matrix.md")
    with pytest.raises(UsageError, match="is a folder"):
        write_output("new", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_lies_in_wait_beside_a_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("mine", encoding="utf-8")
    (tmp_path / ".run.json.new").symlink_to(tmp_path / "victim")
    write_text(tmp_path / "run.json", "{}")
    assert (tmp_path / "victim").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("command", [["matrix", "--claims"], ["compare", "./base", "./head"]])
def test_every_command_that_writes_a_file_follows_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("base", "head"):  # of two ids, since one run is not held against itself
        run = a_run(verdicts=[a_verdict()]).model_copy(update={"run": name})
        write_run(run, RunDirectory(tmp_path / name))
    link = tmp_path / "link"
    link.symlink_to("there")
    done = CliRunner().invoke(app, [*command, "-o", "link"])
    assert done.exit_code == 0, done.output
    assert link.is_symlink()
    assert (tmp_path / "there").stat().st_size > 20


# How a command ends whose output cannot be written


def ended(command: list[str], redirection: str) -> subprocess.CompletedProcess[str]:
    script = f'set -o pipefail; "$@" {redirection}'
    return subprocess.run(
        ["bash", "-c", script, "bash", *GUESTCERT, *command],
        text=True,
        capture_output=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("command", [["matrix", "--claims"], ["--help"], ["--version"]])
def test_a_full_disk_is_no_verdict(command: list[str]) -> None:
    done = ended(command, "> /dev/full")
    assert done.returncode == 3, done.stderr
    assert done.stderr.splitlines()[0] == "guestcert: no space is left to write the output"
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_file_size_limit_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "matrix.md"
    file.write_text("old", encoding="utf-8")
    script = 'ulimit -f 1; trap "" XFSZ; "$@"'
    command = [*GUESTCERT, "matrix", "--claims", "-o", str(file)]
    done = subprocess.run(
        ["bash", "-c", script, "bash", *command],
        text=True, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "no space is left" in done.stderr
    assert file.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("command", [["matrix", "--claims"], ["--help"]])
def test_a_closed_pipe_ends_it_quietly(command: list[str]) -> None:
    done = ended(command, "| exec true")
    assert done.returncode == 141, done.stderr
    assert done.stderr == ""


def test_pytest_is_stopped_where_nobody_can_follow_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def show(process: subprocess.Popen[bytes], *_: object) -> None:
        started.append(process)
        raise BrokenPipeError

    monkeypatch.setattr(pytest_process, "_show", show)
    monkeypatch.setattr(pytest_process, "PYTEST", (sys.executable, "-c"))
    with pytest.raises(BrokenPipeError):
        pytest_process.run_pytest(["import signal; signal.pause()"], RunDirectory(tmp_path), None)
    assert started[0].returncode not in (None, 0)


def test_a_fault_of_its_own_is_no_verdict() -> None:
    code = (
        "import harness.cli, harness.cli.matrix as m\n"
        "def boom(*_): raise ZeroDivisionError('\\x1b[31m')\n"
        "m.load_profiles = boom\n"
        "harness.cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "matrix", "--claims"],
        text=True, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 3
    assert "ZeroDivisionError: ␛[31m" in done.stderr
