"""`guestcert resume` on a scripted Hyper-V host: after kill -9, and where it refuses.

The host executes no guest, but its cases on the host's side make real outcomes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.hypervisors.definitions import Accelerator
from harness.hypervisors.hyperv.address import PASSWORD as VARIABLE
from harness.lab.manifest import read_manifest, write_manifest
from harness.lab.ownership import own, process_started
from harness.plugin.session_start import resume_run
from harness.profiles.claims import HypervisorKind
from harness.profiles.loader import load_profiles
from harness.profiles.places import project_root
from harness.profiles.selection import DEFAULT_GUEST, select
from harness.profiles.variants import variants_on
from harness.results.store import RunDirectory
from harness.waiting import Deadline, NotYet, wait_until
from tests.fakes.hyperv_host.host import hyperv_host
from tests.fakes.hyperv_host.model import HostModel
from tests.fakes.powershell_remoting.server import PASSWORD
from tests.unit.builders import a_context

GUESTCERT = [sys.executable, "-c", "from harness.cli import main; main()"]
CASES = "keeps_the_pairs or switches_each or answers_for_itself or segments"


@dataclass(frozen=True)
class CutOff:
    """A run that was killed after its first outcome."""

    folder: Path
    host: HostModel
    uri: str
    environment: dict[str, str]

    @property
    def directory(self) -> RunDirectory:
        (run,) = [path for path in (self.folder / "reports").iterdir() if not path.is_symlink()]
        return RunDirectory(run)

    @property
    def workspace(self) -> Path:
        """The folder of its overlays and its owner."""
        return self.folder / "store" / "runs" / self.directory.path.name

    def resume(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*GUESTCERT, "resume", "--reports", str(self.folder / "reports"), *arguments]
        return subprocess.run(
            command,
            cwd=project_root(),
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def outcomes(self) -> list[dict[str, Any]]:
        """The lines of outcomes.jsonl that are whole."""
        text = self.directory.outcomes.read_text("utf-8")
        return [json.loads(line) for line in text.splitlines(keepends=True) if line[-1] == "\n"]


@pytest.fixture
def cut_off(tmp_path: Path) -> Iterator[CutOff]:
    image = tmp_path / "disk.img"
    image.write_bytes((bytes(510) + b"\x55\xaa").ljust(4 * 1024 * 1024, b"\0"))
    environment = os.environ | {VARIABLE: PASSWORD, "GUESTCERT_HOME": str(tmp_path / "store")}
    with hyperv_host(tmp_path) as (host, _, uri):
        run = CutOff(tmp_path, host, uri, environment)
        command = [sys.executable, "-m", "pytest", "suites", "--hypervisor", uri, "-n", "0"]
        command += ["--image", str(image), "--reports", str(tmp_path / "reports"), "-k", CASES]
        process = subprocess.Popen(
            command,
            cwd=project_root(),
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

        def has_passed() -> None:
            assert process.poll() is None, f"it ended with {process.returncode}"
            there = list((tmp_path / "reports").glob("*/outcomes.jsonl"))
            if not there or not passed(run.outcomes()):
                raise NotYet("no outcome")

        wait_until(has_passed, awaited="a case that passed", deadline=Deadline(400))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        yield run


def identity(outcome: dict[str, Any]) -> tuple[str, ...]:
    return tuple(outcome[part] for part in ("case", "parameters", "guest", "variant"))


def passed(outcomes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [outcome for outcome in outcomes if outcome["outcome"] == "passed"]


def test_a_killed_run_is_gone_on_with_to_its_end(cut_off: CutOff) -> None:
    before = cut_off.outcomes()
    assert not cut_off.directory.run_json.exists(), "it came to its end: this proves nothing"
    assert cut_off.workspace.exists(), "the killed run left nothing"
    with cut_off.directory.outcomes.open("a", encoding="utf-8") as file:
        file.write('{"case": "suites/bo')  # what a process killed while writing leaves

    done = cut_off.resume()

    run = json.loads(cut_off.directory.run_json.read_text("utf-8"))
    found = {identity(o): o for o in run["outcomes"]}
    assert len(found) == len(run["outcomes"]), "a case is there twice"
    assert len(found) > len(before)
    for outcome in before:
        assert found[identity(outcome)] == outcome, "it was run again"
    assert len(run["resumed"]) == 1
    assert run["started"] < before[0]["started"] < run["resumed"][0] < run["finished"]
    assert {o["outcome"] for o in run["outcomes"]} <= {"passed", "not_applicable"}
    assert len(passed(run["outcomes"])) > len(passed(before))
    assert run["completion"] == "complete"
    assert run["selection"] == f"-k {CASES!r}"
    shown = [line for line in done.stdout.splitlines() if line.startswith(("passed", "not_app"))]
    assert len(shown) == len(found) - len(before), "what was there was shown again"
    assert not cut_off.workspace.exists(), "what the killed part left is still there"
    assert cut_off.host.machines == {}

    assert (cut_off.folder / "reports" / "latest").resolve() == cut_off.directory.path

    written = files(cut_off.directory)
    again = cut_off.resume()
    assert again.returncode == 0, again.stdout + again.stderr
    assert "nothing is left to do" in again.stderr
    assert files(cut_off.directory) == written, "a run at its end was judged again"


def files(directory: RunDirectory) -> dict[Path, tuple[int, bytes]]:
    """Every file of a run directory: when it was written, and what it holds."""
    return {
        file: (file.stat().st_mtime_ns, file.read_bytes())
        for file in directory.path.rglob("*")
        if file.is_file()
    }


def test_what_would_not_belong_together_is_refused_and_nothing_is_lost(
    cut_off: CutOff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, PASSWORD)
    directory = cut_off.directory
    before = directory.outcomes.read_bytes()
    context = a_context(
        cut_off.folder,
        owner=own(directory.path.name),
        reports=directory.path,
        hypervisor=cut_off.uri,
        accelerator=Accelerator.HYPERV,
    )
    profiles = select(load_profiles(), [DEFAULT_GUEST])
    guests = [(profile, variants_on(profile, HypervisorKind.HYPERV)) for profile in profiles]
    for what, change in REFUSED.items():
        undo = change(cut_off)
        with pytest.raises(UsageError, match=what):
            resume_run(context, directory, guests)
        undo()
    assert directory.outcomes.read_bytes() == before
    assert cut_off.workspace.exists()
    _, outcomes = resume_run(context, directory, guests)
    assert len(outcomes) >= len(passed(cut_off.outcomes())) > 0, "the control: it is resumed"
    misspelt = cut_off.resume(directory.path.name[:-1])
    assert misspelt.returncode == 2
    assert directory.path.name in misspelt.stderr


def an_older_host(run: CutOff) -> Callable[[], None]:
    manifest = read_manifest(run.directory)
    older = manifest.environment.model_copy(update={"hypervisor_version": "10.0.14393"})
    write_manifest(manifest.model_copy(update={"environment": older}), run.directory)
    return lambda: write_manifest(manifest, run.directory)


def other_code(run: CutOff) -> Callable[[], None]:
    manifest = read_manifest(run.directory)
    write_manifest(manifest.model_copy(update={"code": "0" * 64}), run.directory)
    return lambda: write_manifest(manifest, run.directory)


def another_profile(run: CutOff) -> Callable[[], None]:
    (facts,) = (run.directory.path / "facts").iterdir()
    return changed(facts, profile="0" * 64)


def an_image_that_went(run: CutOff) -> Callable[[], None]:
    (facts,) = (run.directory.path / "facts").iterdir()
    image = json.loads(facts.read_text("utf-8"))["image"]
    return changed(facts, image=f"{image}-gone")


def an_owner_that_lives(run: CutOff) -> Callable[[], None]:
    owner = run.workspace / "owner.json"
    return changed(owner, pid=os.getppid(), pid_started=process_started(os.getppid()))


def changed(file: Path, **fields: Any) -> Callable[[], None]:
    """Set fields of a JSON file; returns what takes it back."""
    before = file.read_text("utf-8")
    file.write_text(json.dumps(json.loads(before) | fields), encoding="utf-8")

    def undo() -> None:
        file.write_text(before, encoding="utf-8")

    return undo


REFUSED = {
    "hypervisor_version was 10.0.14393, and is 10.0.20348": an_older_host,
    "guestcert's own code, or a suite's, changed": other_code,
    "the profile debian-12 changed": another_profile,
    "there is no image 'own-": an_image_that_went,
    f"is still running, in process {os.getppid()}": an_owner_that_lives,
}
