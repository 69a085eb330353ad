"""`guestcert media`: what people see of the shelf."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from harness.cli import app
from harness.errors import UsageError
from tests.unit.test_media import a_windows_iso, an_iso


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUESTCERT_HOME", str(tmp_path / "store"))


def media(*words: str) -> Result:
    return CliRunner().invoke(app, ["media", *words], env={"COLUMNS": "300"})


def lack_of_medium() -> tuple[set[str], str]:
    """The guests that lack a medium, and the line after them."""
    lines = media("list").stdout.splitlines()
    start = "there is no installation medium: "
    (number,) = (n for n, line in enumerate(lines) if line.startswith(start))
    return set(lines[number].removeprefix(start).split(", ")), lines[number + 1]


def test_an_iso_with_server_2022s_words_makes_it_installable(tmp_path: Path) -> None:
    lacking, remedy = lack_of_medium()
    assert {"windows-server-2022", "windows-10"} <= lacking
    assert remedy.startswith("  try: guestcert media add FILE")
    added = media("add", str(a_windows_iso(tmp_path)))
    assert added.exit_code == 0
    assert f"{tmp_path}/server.iso: windows-server-2022" in added.stdout
    still, _ = lack_of_medium()
    assert "windows-server-2022" not in still
    assert "windows-10" in still
    after = media("list").stdout
    (ready,) = (line for line in after.splitlines() if line.startswith("can be installed now"))
    assert "windows-server-2022" in ready.replace(",", "").split()
    assert "add the virtio-win medium" in after


def test_drivers_on_the_shelf_are_not_asked_for(tmp_path: Path) -> None:
    media("add", str(a_windows_iso(tmp_path)))
    added = media("add", str(an_iso(tmp_path / "drivers.iso", "virtio-win-0.1.271")))
    assert "drivers for Windows" in added.stdout
    assert "add the virtio-win medium" not in media("list").stdout


def test_a_medium_is_added_as_the_guest_that_is_named(tmp_path: Path) -> None:
    iso = an_iso(tmp_path / "rhel.iso", "RHEL-9-6-0-BaseOS-x86_64")
    unknown = media("add", str(iso))
    assert unknown.exit_code != 0
    added = media("add", str(iso), "--guest", "rhel-9.6")
    assert added.exit_code == 0
    assert "rhel.iso: rhel-9.6" in added.stdout


def test_a_name_that_looks_like_markup_is_shown_as_it_is(tmp_path: Path) -> None:
    iso = an_iso(tmp_path / "[red]own.iso", "A[/B]")
    assert media("add", str(iso), "--guest", "rhel-9.6").exit_code == 0
    listed = media("list")
    assert listed.exit_code == 0
    assert "A[/B]" in listed.stdout
    assert "[red]own.iso" in listed.stdout


@pytest.mark.parametrize("guest", ["rhel-9.66", "rhel-9.*"])
def test_a_name_that_is_not_one_guests_is_refused(tmp_path: Path, guest: str) -> None:
    added = media("add", str(an_iso(tmp_path / "rhel.iso", "RHEL-9")), "--guest", guest)
    assert added.exit_code != 0
    assert "rhel.iso:" not in added.stdout


@pytest.mark.parametrize("command", ["identify", "add"])
def test_the_files_after_a_bad_one_are_looked_at(tmp_path: Path, command: str) -> None:
    bad = tmp_path / "bad.iso"
    bad.write_bytes(b"no image")
    done = media(command, str(bad), str(a_windows_iso(tmp_path)), str(tmp_path))
    assert "windows-server-2022" in done.stdout
    assert "bad.iso is not an ISO image" in done.stderr
    assert isinstance(done.exception, UsageError)
    assert "2 of 3 files were not" in str(done.exception)
