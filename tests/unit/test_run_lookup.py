"""A run is found by its id in the reports folder, or by a path; never by a word elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.cli.run_lookup import newest_run, run_directory
from harness.errors import UsageError


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two runs; the current folder is another, where somebody made traps."""
    for number, name in enumerate(("20240501-a", "20240502-b")):
        a_run_in(tmp_path / "reports" / name, number)
    for trap in ("latest", "20240501-a", "trap"):
        a_run_in(tmp_path / "shared" / trap, 9)
    monkeypatch.chdir(tmp_path / "shared")
    return tmp_path / "reports"


def a_run_in(folder: Path, moment: int) -> None:
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}", "utf-8")
    os.utime(folder / "manifest.json", (moment, moment))


def test_a_word_is_looked_up_in_the_reports_folder_alone(reports: Path) -> None:
    assert run_directory("20240501-a", reports).path == reports / "20240501-a"
    for trap in ("latest", "trap", ".", ".."):
        with pytest.raises(UsageError, match="there is no run"):
            run_directory(trap, reports)


def test_a_path_holds_a_slash(reports: Path) -> None:
    assert run_directory("./trap", reports).path == reports.parent / "shared" / "trap"
    assert run_directory(str(reports / "20240502-b"), reports).path == reports / "20240502-b"


def test_the_newest_run_is_the_one_that_was_started_last(reports: Path) -> None:
    (reports / "latest").symlink_to("20240501-a")
    assert newest_run(reports).path.name == "20240502-b"


def test_without_a_run_there_is_no_newest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no run"):
        newest_run(tmp_path)
