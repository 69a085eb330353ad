"""Real guests: builds of Debian with a defect planted in them, and guestcert run over them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.image_store.places import store_root
from harness.image_store.recipe import load_recipe
from harness.image_store.store import ImageStore
from harness.profiles.places import project_root
from harness.results.model import RunRecord, Status, Verdict
from harness.results.store import RunDirectory, read_run

GUEST = "debian-12"
ROOT_PARTITION = 3
GUESTCERT = [sys.executable, "-c", "from harness.cli import main; main()"]

Planter = Callable[[Mapping[str, str], Mapping[str, str]], Path]


@dataclass(frozen=True)
class Certification:
    """How one `guestcert certify` ended, and what it wrote."""

    exit_code: int
    output: str
    directory: RunDirectory

    @property
    def run(self) -> RunRecord:
        """The record of the run; fails with pytest's output if there is none."""
        assert self.directory.run_json.exists(), self.output
        return read_run(self.directory)

    def features(self, verdict: Verdict) -> set[str]:
        """The features on which the run came to that verdict, on any variant."""
        return {v.feature for v in self.run.verdicts if v.verdict is verdict}

    def reasons(self) -> str:
        """Every outcome that did not pass, in words."""
        return "\n".join(f"{o.outcome} {o.case}: {o.reason}" for o in self.run.outcomes if o.reason)


Certify = Callable[..., Certification]


def on_part(certify: Certify, image: object, keyword: str, *options: str) -> Certification:
    arguments = (GUEST, "--image", str(image), "--variant", "bios", "-n", "0", *options)
    return certify(*arguments, "--", "-k", keyword)


def assert_violated(done: Certification, *violated: str, verified: str) -> None:
    assert done.exit_code == 1, done.output[-4000:]
    assert [c.status for c in done.run.certificates] == [Status.NOT_CERTIFIED]
    assert done.features(Verdict.VIOLATED) == set(violated), done.reasons()
    assert done.features(Verdict.VERIFIED) == {verified}, done.reasons()


@pytest.fixture
def certify(tmp_path: Path) -> Certify:
    """Runs `guestcert certify` with a reports folder of its own."""

    def run(*arguments: str, seconds: float = 3000) -> Certification:
        reports = tmp_path / "reports"
        done = subprocess.run(
            [*GUESTCERT, "certify", "--reports", str(reports), *arguments],
            cwd=project_root(),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
        latest = RunDirectory((reports / "latest").resolve())
        return Certification(done.returncode, done.stdout + done.stderr, latest)

    return run


@pytest.fixture
def plant(tmp_path: Path) -> Planter:
    """Makes a copy of the base image with files written and symbolic links made in it."""

    def planted(files: Mapping[str, str], links: Mapping[str, str]) -> Path:
        base = ImageStore(store_root()).base_image(load_recipe(GUEST))
        disk = tmp_path / "planted.raw"
        subprocess.run(
            ["qemu-img", "convert", "-O", "raw", str(base.path), str(disk)], check=True, timeout=600
        )
        commands = []
        for number, (path, text) in enumerate(files.items()):
            source = tmp_path / f"file-{number}"
            source.write_text(text, encoding="utf-8")
            folder = str(Path(path).parent)
            commands += [f"mkdir {folder}", f"rm {path}", f"write {source} {path}"]
        commands += [f"symlink {path} {target}" for path, target in links.items()]
        script = tmp_path / "debugfs"
        script.write_text("\n".join(commands) + "\n", encoding="utf-8")
        device = f"{disk}?offset={_start(disk)}"
        subprocess.run(
            ["debugfs", "-w", "-f", str(script), device], check=True, capture_output=True
        )
        for path in [*files, *links]:
            found = subprocess.run(
                ["debugfs", "-R", f"stat {path}", device], check=True, capture_output=True
            )
            assert b"Inode:" in found.stdout, f"{path} was not planted: {found.stderr.decode()}"
        return disk

    return planted


@pytest.fixture
def read_from_image(tmp_path: Path) -> Callable[[str], str]:
    """Reads a file of the base image."""

    def read(path: str) -> str:
        base = ImageStore(store_root()).base_image(load_recipe(GUEST))
        disk = tmp_path / "plain.raw"
        subprocess.run(
            ["qemu-img", "convert", "-O", "raw", str(base.path), str(disk)], check=True, timeout=600
        )
        shown = subprocess.run(
            ["debugfs", "-R", f"cat {path}", f"{disk}?offset={_start(disk)}"],
            check=True,
            capture_output=True,
            text=True,
        )
        disk.unlink()
        return shown.stdout

    return read


def _start(disk: Path) -> int:
    """Where the root partition begins, in bytes."""
    shown = subprocess.run(["sfdisk", "--json", str(disk)], check=True, capture_output=True)
    partitions = json.loads(shown.stdout)["partitiontable"]["partitions"]
    return int(partitions[ROOT_PARTITION - 1]["start"]) * 512
