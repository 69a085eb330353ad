"""The end of a Linux guest's start-up, as systemd of each age reports it, in a real shell."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from harness.guests.os.lifecycle import SETTLED

UNKNOWN_OPTION = "echo \"systemctl: unrecognized option '--wait'\" >&2; exit 1"
UNKNOWN_COMMAND = "echo \"Unknown operation 'is-system-running'.\" >&2; exit 1"


def systemctl(state: str, *, with_wait: str = "", jobs: str = "No jobs running.") -> str:
    """A program that answers as systemctl does; `with_wait` replaces its answer to --wait."""
    waited = with_wait or state
    return f"""#!/bin/sh
case "$*" in
"is-system-running --wait") {waited};;
is-system-running) {state};;
"list-jobs --no-legend") {jobs};;
*) exit 99;;
esac
"""


STARTING, RUNNING = "echo starting; exit 1", "echo running"
CASES = {
    "240 waits": (systemctl("exit 98", with_wait=RUNNING), "running"),
    "240 with a failed unit": (systemctl("exit 98", with_wait="echo degraded; exit 1"), "degraded"),
    "232 ignores it": (systemctl(STARTING), "starting"),
    "219 refuses it while starting": (systemctl(STARTING, with_wait=UNKNOWN_OPTION), "starting"),
    "219 refuses it when running": (systemctl(RUNNING, with_wait=UNKNOWN_OPTION), "running"),
    "210 without jobs": (systemctl(UNKNOWN_COMMAND, jobs="echo No jobs running."), "running"),
    "210 with jobs": (systemctl(UNKNOWN_COMMAND, jobs="echo 12 a.service start"), "with jobs"),
    "no answer at all": (systemctl("exit 1", jobs="echo Failed to get D-Bus >&2"), "with jobs"),
}


@pytest.mark.parametrize(("program", "state"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_the_state_of_every_systemd_is_known(
    shell: str, program: str, state: str, tmp_path: Path
) -> None:
    assert settled(shell, program, tmp_path, booted=tmp_path) == state


def test_another_init_system_has_no_state_though_systemctl_is_installed(tmp_path: Path) -> None:
    program = systemctl("echo offline; exit 1")
    assert settled("dash", program, tmp_path, booted=tmp_path / "missing") == ""


def settled(shell: str, program: str, folder: Path, *, booted: Path) -> str:
    for name, text in (("systemctl", program), ("udevadm", "#!/bin/sh\nexit 0\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    done = subprocess.run(
        [shell, "-c", SETTLED, shell, str(booted)],
        env={"PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
