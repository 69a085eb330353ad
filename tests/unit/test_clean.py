"""`guestcert clean`: what it removes, what it leaves, and how it reports both."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from harness.cli import app
from harness.errors import HarnessError, UsageError
from harness.lab.ownership import own
from harness.lab.workspace import Workspace
from tests.fakes.hypervisor import FakeHypervisor
from tests.machines import a_machine

DEAD = dataclasses.replace(own("dead"), pid_started="another boot/1")
ELSEWHERE = dataclasses.replace(own("elsewhere"), host="another")


@pytest.fixture
def hypervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHypervisor:
    """With a dead run, two living ones, and a machine that somebody made by hand."""
    fake = FakeHypervisor()
    monkeypatch.setattr("harness.cli.clean.open_hypervisor", lambda _: fake)
    monkeypatch.setenv("GUESTCERT_HOME", str(tmp_path / "store"))
    for owner in (DEAD, own("mine"), ELSEWHERE):
        fake.define(a_machine(name=f"guestcert-{owner.run}-guest", owner=owner))
    fake.define(a_machine(name="guestcert-by-hand\x1b[2J"))
    fake.leases["guestcert-by-hand\x1b[2J"] = None
    return fake


def clean(*options: str) -> Result:
    return CliRunner().invoke(app, ["clean", *options])


def test_a_dead_run_goes_and_all_else_is_told_and_stays(
    hypervisor: FakeHypervisor, tmp_path: Path
) -> None:
    Workspace(tmp_path / "store", DEAD).create()
    done = clean()
    assert done.exit_code == 0
    assert len(hypervisor.machines) == 3
    lines = done.output.splitlines()
    assert "removed machine guestcert-dead-guest" in lines
    assert f"removed files {tmp_path / 'store' / 'runs' / 'dead'}" in lines
    (mine,) = [line for line in lines if "guestcert-mine-guest" in line]
    assert mine.startswith("kept") and "in process" in mine
    (elsewhere,) = [line for line in lines if "guestcert-elsewhere-guest" in line]
    assert elsewhere.startswith("kept") and "on another host or in a container" in elsewhere
    (by_hand,) = [line for line in lines if "by-hand" in line]
    assert by_hand.startswith("kept") and "--force" in by_hand
    assert "\x1b" not in done.output


def test_a_dry_run_removes_nothing(hypervisor: FakeHypervisor) -> None:
    done = clean("--dry-run", "--force")
    assert done.exit_code == 0
    assert len(hypervisor.machines) == 4
    would = [line for line in done.output.splitlines() if line.startswith("would remove")]
    assert len(would) == 2
    assert "guestcert-dead-guest" in would[0]


def test_force_lists_and_then_removes_what_nobody_is_known_to_own(
    hypervisor: FakeHypervisor,
) -> None:
    done = clean("--force")
    assert sorted(hypervisor.machines) == ["guestcert-elsewhere-guest", "guestcert-mine-guest"]
    listed = done.output.index("no readable owner: machine guestcert-by-hand")
    assert listed < done.output.index("removed machine guestcert-by-hand")


def test_what_cannot_be_removed_is_an_error_of_the_lab(hypervisor: FakeHypervisor) -> None:
    hypervisor.refuses = "guestcert-dead-guest"
    done = clean()
    assert isinstance(done.exception, HarnessError)
    assert "it is refused" in done.exception.sentence


def test_a_home_folder_by_mistake_is_not_cleaned(
    hypervisor: FakeHypervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    (home / "runs" / "marathon").mkdir(parents=True)
    (home / "images" / "holiday-2026").mkdir(parents=True)
    monkeypatch.setenv("GUESTCERT_HOME", str(home))
    done = clean("--force")
    assert isinstance(done.exception, UsageError)
    assert "not a guestcert store" in done.exception.sentence
    assert (home / "runs" / "marathon").is_dir()
    assert len(hypervisor.machines) == 4
