"""The run directory: what is written is read again, and never in halves."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from harness.errors import BadFileError, HarnessError
from harness.results.model import SCHEMA, Metric, Status, Verdict
from harness.results.outcomes import Outcome
from harness.results.store import RunDirectory, new_run_id, read_run, write_run, write_text
from tests.unit.builders import a_certificate, a_run, a_verdict, an_outcome

A_RUN = a_run(
    an_outcome(Outcome.FAILED, reason="no login\nKönig \x1b[31m <b>", evidence=["evidence/c.log"]),
    an_outcome(metrics=[Metric(name="boot to ready", value=14.2, unit="s")]),
    verdicts=[a_verdict(Verdict.VIOLATED, reason="no login")],
    certificates=[a_certificate(Status.NOT_CERTIFIED, reasons=["boot.ready is violated"])],
    selection="-k 'ready'",
)

A_STATUS_OF_NONE = {"guest": "debian-12", "hypervisor": "qemu:///system", "status": "fine"}


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path / "reports" / "20240501-220000-abcd")


def document(directory: RunDirectory) -> dict[str, object]:
    """The content of run.json, as a reader in another language sees it."""
    found = json.loads(directory.run_json.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def problem_with(directory: RunDirectory, text: str | bytes) -> BadFileError:
    """The error about a run.json with this text."""
    directory.create()
    directory.run_json.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadFileError) as caught:
        read_run(directory)
    assert caught.value.file == directory.run_json
    return caught.value


# run.json


def test_a_run_is_read_as_it_was_written(directory: RunDirectory) -> None:
    write_run(A_RUN, directory)
    assert read_run(directory) == A_RUN


def test_run_json_holds_what_the_format_promises(directory: RunDirectory) -> None:
    write_run(A_RUN, directory)
    found = document(directory)
    assert found["schema"] == SCHEMA
    assert {"run", "started", "finished", "environment", "ledger"} < found.keys()
    assert {"outcomes", "verdicts", "certificates"} < found.keys()


def test_what_a_guest_can_not_have_said_in_unicode_is_written_all_the_same(
    directory: RunDirectory,
) -> None:
    output = json.loads(r'"half a pair: \ud800"')
    write_run(a_run(an_outcome(Outcome.FAILED, reason=output)), directory)
    assert read_run(directory).outcomes[0].reason == "half a pair: \N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_that_json_has_no_word_for_is_refused(value: float) -> None:
    with pytest.raises(ValidationError, match="finite number"):
        Metric(name="boot to ready", value=value, unit="s")


def test_a_run_json_that_is_missing_is_told(directory: RunDirectory) -> None:
    with pytest.raises(BadFileError, match=r"run\.json: file: cannot be read: No such file"):
        read_run(directory)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (b"", "JSON"),
        (b'{"schema": "guestcert/run/1", "outc', "JSON"),
        (b"\xff\xfe", "JSON"),
        (b"[" * 100_000, "JSON"),
        (b"[]", "document"),
        (b"{}", "run"),
    ],
    ids=["empty", "half", "no UTF-8", "deep", "list", "no field"],
)
def test_a_run_json_that_is_none_is_told_with_its_field(
    directory: RunDirectory, text: bytes, field: str
) -> None:
    assert problem_with(directory, text).field == field


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"schema": "guestcert/run/3"}, "schema", "guestcert/run/2"),
        ({"colour": "blue"}, "colour", "not permitted"),
        ({"started": "yesterday"}, "started", "datetime"),
        ({"certificates": [A_STATUS_OF_NONE]}, "certificates.0.status", "'certified'"),
    ],
    ids=["later schema", "unknown field", "no date", "unknown status"],
)
def test_a_field_that_is_wrong_is_named(
    directory: RunDirectory, changed: dict[str, object], field: str, words: str
) -> None:
    write_run(A_RUN, directory)
    problem = problem_with(directory, json.dumps(document(directory) | changed))
    assert problem.field == field
    assert words in problem.problem


# The directory and its `latest`


def test_a_run_s_name_sorts_by_time_and_is_its_own() -> None:
    names = {new_run_id() for _ in range(20)}
    assert all(re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{4}", name) for name in names)
    assert len(names) > 1


def test_everything_lies_within_the_directory(directory: RunDirectory) -> None:
    places = [directory.run_json, directory.junit, directory.allure_results, directory.site]
    places.append(directory.certificate("debian-12"))
    assert [place.name for place in places] == [
        "run.json",
        "junit.xml",
        "allure-results",
        "site",
        "certificate-debian-12.json",
    ]
    assert {place.parent for place in places} == {directory.path}


def test_latest_points_at_the_run_that_tested_something_last(tmp_path: Path) -> None:
    first, second = RunDirectory(tmp_path / "first"), RunDirectory(tmp_path / "second")
    for run in (first, second):
        run.create()
        assert (tmp_path / "latest").resolve() != run.path, "it has not tested anything yet"
        write_run(A_RUN, run)
        assert (tmp_path / "latest").readlink() == Path(run.path.name)
    empty = RunDirectory(tmp_path / "third")
    empty.create()
    write_run(a_run(), empty)
    assert (tmp_path / "latest").readlink() == Path("second"), "a run without a case is latest"
    there = sorted(path.name for path in tmp_path.iterdir())
    assert there == ["first", "latest", "second", "third"]


def test_latest_goes_with_the_folder_where_that_is_moved(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "reports" / "one")
    run.create()
    run.make_latest()
    moved = (tmp_path / "reports").rename(tmp_path / "elsewhere")
    assert (moved / "latest").resolve() == moved / "one"


def test_a_directory_may_be_made_twice(directory: RunDirectory) -> None:
    directory.create()
    write_text(directory.run_json, "kept")
    directory.create()
    assert directory.run_json.read_text(encoding="utf-8") == "kept"


def test_a_directory_that_can_not_be_made_is_told_with_what_to_try(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file is in the way", encoding="utf-8")
    with pytest.raises(HarnessError, match="cannot be made") as caught:
        RunDirectory(tmp_path / "reports" / "one").create()
    assert "--reports" in str(caught.value.remedy)


# Files that were half written


def test_a_file_is_made_with_the_folders_above_it(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "file.txt", "Grüße\n")
    assert (tmp_path / "a" / "b" / "file.txt").read_bytes() == "Grüße\n".encode()


def test_nothing_but_the_file_is_left_beside_it(tmp_path: Path) -> None:
    write_text(tmp_path / "file.txt", "old")
    write_text(tmp_path / "file.txt", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


def test_a_write_that_fails_leaves_the_old_content(tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    write_text(file, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(file, "new, then half a pair: \ud800")
    assert file.read_text(encoding="utf-8") == "old"


def test_what_guests_wrote_is_its_owners_alone(directory: RunDirectory) -> None:
    directory.allure_results.mkdir(parents=True)  # by a plugin of pytest, before us
    directory.create()
    for private in ("evidence", "allure-results"):
        assert stat.S_IMODE((directory.path / private).stat().st_mode) == 0o700
    assert stat.S_IMODE(directory.path.stat().st_mode) & 0o700 == 0o700


def test_what_a_killed_writer_left_is_in_nobodys_way(directory: RunDirectory) -> None:
    directory.create()
    directory.path.joinpath(".run.json.new").write_text('{"schema": "gues', encoding="utf-8")
    write_run(A_RUN, directory)
    assert read_run(directory) == A_RUN
    left = {path.name for path in directory.path.iterdir() if path.is_file()}
    assert left == {"run.json", ".run.json.new"}


def test_nobody_else_may_write_in_a_run_s_directory(directory: RunDirectory) -> None:
    before = os.umask(0)
    try:
        directory.create()
    finally:
        os.umask(before)
    assert directory.path.stat().st_mode & 0o022 == 0
