"""`guestcert clean` removes what a killed run left; a stopped run leaves nothing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.hypervisors.base import NAME_PREFIX
from harness.hypervisors.connection import open_hypervisor
from harness.image_store.places import store_root
from harness.profiles.places import project_root
from harness.waiting import Deadline, NotYet, wait_until
from tests.e2e.conftest import GUESTCERT


@dataclass(frozen=True)
class Running:
    """A certification that has come so far as to have a running machine."""

    process: subprocess.Popen[bytes]
    run: str

    def left(self) -> list[str]:
        """What there is of this run: machines, networks, files, processes."""
        hypervisor = open_hypervisor(None)
        found = [owned.name for owned in hypervisor.owned() if self.run in owned.name]
        hypervisor.close()
        found += [str(folder) for folder in (store_root() / "runs").glob(f"{self.run}*")]
        return found + [line for line in _commands() if self.run in line and "qemu" in line]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    process = subprocess.Popen(
        [*GUESTCERT, "certify", "--reports", str(tmp_path)],
        cwd=project_root(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def machine_runs() -> str:
        assert process.poll() is None, f"certify ended with {process.returncode}"
        # By its folder: `latest` points at a run only once that has tested something.
        for run in (folder.name for folder in tmp_path.iterdir()):
            if any(re.search(rf"qemu-system.*{NAME_PREFIX}{run}", line) for line in _commands()):
                return run
        raise NotYet(f"no machine of {[folder.name for folder in tmp_path.iterdir()]}")

    try:
        run = wait_until(machine_runs, awaited="a running machine", deadline=Deadline(900))
        yield Running(process, run)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_clean_takes_away_what_a_killed_run_left(running: Running) -> None:
    os.killpg(running.process.pid, signal.SIGKILL)
    running.process.wait()
    assert running.left(), "the killed run left nothing, so that cleaning proves nothing"

    done = subprocess.run(
        [*GUESTCERT, "clean"], cwd=project_root(), capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert running.left() == []


def test_a_stopped_run_leaves_nothing(running: Running) -> None:
    assert running.left()
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(timeout=120) == 130
    assert running.left() == []


def _commands() -> list[str]:
    """The command lines of every process."""
    lines = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            lines.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except (OSError, UnicodeDecodeError):
            continue
    return lines
