"""What a run leaves in its folder, in one process and in several, where no guest can run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.profiles.places import project_root
from harness.results.outcomes import Outcome
from harness.results.store import EXIT_BROKEN, RunDirectory, read_run

CASE = "test_the_host_sees_a_living_guest"


@pytest.mark.parametrize("workers", ["0", "2"])
def test_every_case_is_in_every_report(workers: str, tmp_path: Path) -> None:
    guestcert = [sys.executable, "-c", "from harness.cli import main; main()"]
    where = ["--hypervisor", "test:///default", "--reports", str(tmp_path)]
    done = subprocess.run(
        [*guestcert, "certify", *where, "-n", workers, "--", "-k", CASE],
        cwd=project_root(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == EXIT_BROKEN, done.stdout + done.stderr
    directory = RunDirectory((tmp_path / "latest").resolve())
    (outcome,) = read_run(directory).outcomes
    assert outcome.outcome is Outcome.NOT_APPLICABLE
    assert outcome.reason == "the hypervisor executes no guest code here (it lacks run)"
    (result,) = directory.allure_results.glob("*-result.json")
    shown = json.loads(result.read_text(encoding="utf-8"))
    labels = {(label["name"], label["value"]) for label in shown["labels"]}
    assert {("feature", "integration.heartbeat"), ("guest", "debian-12")} <= labels
    parameters = {
        one["name"]: one["value"] for one in shown["parameters"] if not one.get("excluded")
    }
    assert parameters == {"guest": "'debian-12'", "variant": "'bios'"}
    assert (shown["name"], shown["titlePath"][0]) == (outcome.title, "debian-12")
    assert CASE in directory.junit.read_text(encoding="utf-8")
    assert outcome.title in (directory.site / "index.html").read_text(encoding="utf-8")
