"""`guestcert clean` over real libvirt: a living run stays, and all of a killed one goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.hypervisors.connection import open_hypervisor
from harness.lab.reaper import reap_run

ROOT = Path(__file__).parents[2]
RUN = "contract-killed"
CLEAN = (sys.executable, "-c", "from harness.cli import main; main()", "clean")
IN_A_CONTAINER = ("unshare", "-pf", "--mount-proc")

LEAD = """
import sys
from pathlib import Path
from harness.hypervisors.connection import open_hypervisor
from harness.lab.networks import Networks
from harness.lab.ownership import own
from harness.lab.workspace import Workspace
from tests.machines import a_machine

root, run = Path(sys.argv[1]), sys.argv[2]
Workspace(root, own(run)).create()
hypervisor = open_hypervisor("qemu:///system")
network, _ = Networks(hypervisor, root, own(run), "main").get("a")
machine = hypervisor.define(a_machine(name=f"guestcert-{run}-main-guest", owner=own(run)))
machine.start(paused=True)
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GUESTCERT_HOME", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def leader(store: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that leads a run, with a machine, a network and a folder."""
    assert subprocess.run([*CLEAN, "--dry-run"], cwd=ROOT, check=False).returncode == 0
    with subprocess.Popen(
        [sys.executable, "-c", LEAD, str(store), RUN],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()
    hypervisor = open_hypervisor("qemu:///system")
    reap_run(hypervisor, store, RUN)
    hypervisor.close()


def left(store: Path) -> set[str]:
    hypervisor = open_hypervisor("qemu:///system")
    names = {owned.name for owned in hypervisor.owned() if RUN in owned.name}
    hypervisor.close()
    return names | {folder.name for folder in (store / "runs").iterdir()}


def clean(*before: str) -> str:
    done = subprocess.run([*before, *CLEAN], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return "\n".join(line for line in done.stdout.splitlines() if RUN in line)


def test_a_killed_run_is_cleaned_and_no_living_one(
    leader: subprocess.Popen[str], store: Path
) -> None:
    all_of_it = {RUN, f"guestcert-{RUN}-main-a", f"guestcert-{RUN}-main-guest"}
    assert clean().count("its run is alive, in process") == 3
    assert left(store) == all_of_it
    if os.geteuid() == 0:
        assert clean(*IN_A_CONTAINER).count("on another host or in a container") == 3
        assert left(store) == all_of_it

    os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()

    if os.geteuid() == 0:
        assert "removed" not in clean(*IN_A_CONTAINER), "it cannot know that it died"
        assert left(store) == all_of_it
    assert clean().count("removed") == 3
    assert left(store) == set()
