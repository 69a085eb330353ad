"""What a run that was cut off has left, and what of it counts when it is gone on with."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.errors import BadFileError, UsageError
from harness.results.manifest import (
    RunManifest,
    cut_half_line,
    outcomes_so_far,
    read_manifest,
    write_manifest,
)
from harness.results.model import Outcome, OutcomeRecord
from harness.results.store import RunDirectory
from tests.unit.builders import STARTED, an_environment, an_outcome

MANIFEST = RunManifest(
    started=STARTED,
    resumed=(datetime(2024, 5, 2, 6, 0, tzinfo=UTC),),
    folder="/clone",
    arguments=("suites", "--guest", "debian-12", "-k", "König"),
    environment=an_environment(),
    code="0" * 64,
)


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
    found = RunDirectory(tmp_path / "20240501-220000-abcd")
    found.create()
    return found


def write(directory: RunDirectory, *outcomes: OutcomeRecord, then: str = "") -> None:
    lines = [outcome.model_dump_json() + "\n" for outcome in outcomes]
    directory.outcomes.write_text("".join(lines) + then, encoding="utf-8")


def test_how_a_run_began_is_read_as_it_was_written(directory: RunDirectory) -> None:
    write_manifest(MANIFEST, directory)
    assert read_manifest(directory) == MANIFEST


def test_a_run_that_does_not_tell_how_it_began_is_refused(directory: RunDirectory) -> None:
    with pytest.raises(UsageError, match="holds no manifest"):
        read_manifest(directory)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "guestcert/manifest/2"}'])
def test_what_is_no_such_file_is_told(directory: RunDirectory, text: str) -> None:
    directory.manifest.write_text(text, encoding="utf-8")
    with pytest.raises(BadFileError) as caught:
        read_manifest(directory)
    assert caught.value.file == directory.manifest


def test_a_run_without_outcomes_has_none(directory: RunDirectory) -> None:
    assert outcomes_so_far(directory) == ()


@pytest.mark.parametrize("ended", Outcome)
def test_what_told_something_of_the_guest_counts(directory: RunDirectory, ended: Outcome) -> None:
    write(directory, an_outcome(ended))
    kept = {outcome.outcome for outcome in outcomes_so_far(directory)}
    tells = ended not in (Outcome.BROKEN, Outcome.BLOCKED)
    assert kept == ({ended} if tells else set())


def test_of_each_case_with_its_parameters_the_last_outcome_counts(directory: RunDirectory) -> None:
    write(
        directory,
        an_outcome(Outcome.BROKEN, parameters="pc"),
        an_outcome(parameters="q35"),
        an_outcome(parameters="pc"),
    )
    assert [outcome.parameters for outcome in outcomes_so_far(directory)] == ["pc", "q35"]


def test_a_repeat_that_broke_takes_the_place_of_what_came_before(directory: RunDirectory) -> None:
    write(directory, an_outcome(Outcome.PASSED), an_outcome(Outcome.BROKEN))
    assert outcomes_so_far(directory) == ()


def test_half_a_last_line_is_no_outcome_and_is_cut_off(directory: RunDirectory) -> None:
    first, second = an_outcome(reason="König"), an_outcome(parameters="b")
    write(directory, first, then=second.model_dump_json()[:40])
    assert outcomes_so_far(directory) == (first,)
    cut_half_line(directory)
    with directory.outcomes.open("a", encoding="utf-8") as file:
        file.write(second.model_dump_json() + "\n")
    assert outcomes_so_far(directory) == (first, second)


def test_a_whole_line_that_is_no_outcome_is_told_with_its_number(directory: RunDirectory) -> None:
    write(directory, an_outcome(), then="{}\n")
    with pytest.raises(BadFileError) as caught:
        outcomes_so_far(directory)
    assert (caught.value.file, caught.value.line) == (directory.outcomes, 2)
