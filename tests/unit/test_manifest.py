"""The manifest and the outcomes of a run that was cut off, as a resumed run reads them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.errors import BadFileError, UsageError
from harness.features.tiers import Tier
from harness.hypervisors.definitions import Accelerator
from harness.lab.manifest import RunManifest, read_manifest, write_manifest
from harness.lab.run_choices import RunChoices, Suite
from harness.profiles.hardware import Firmware
from harness.profiles.variants import Generation
from harness.results.model import Completion, OutcomeRecord
from harness.results.outcome_log import is_finished, outcomes_so_far, remove_partial_line
from harness.results.outcomes import Outcome
from harness.results.store import RunDirectory
from tests.unit.builders import STARTED, a_run, an_environment, an_outcome

MANIFEST = RunManifest(
    started=STARTED,
    resumed=(datetime(2024, 5, 2, 6, 0, tzinfo=UTC),),
    choices=RunChoices(
        guests=("debian-12",),
        variants=(Firmware.UEFI, Generation.GENERATION_2),
        suites=(Suite.BOOT,),
        tier=Tier.FULL,
        image=Path("/images/my own.qcow2"),
        accelerator=Accelerator.TCG,
        hypervisor="hyperv://host/?auth=ntlm",
        workers=2,
        keyword="König or --pdb",
        markers="not read_only",
        exit_first=True,
    ),
    untyped=("--lf",),
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


def test_the_command_is_made_of_the_choices_alone() -> None:
    assert MANIFEST.choices.pytest_arguments() == [
        "suites/boot", "--guest=debian-12", "--variant=uefi", "--variant=generation-2",
        "--tier=full", "--image=/images/my own.qcow2", "--accelerator=tcg",
        "--hypervisor=hyperv://host/?auth=ntlm", "--numprocesses=2",
        "-kKönig or --pdb", "-mnot read_only", "-x",
    ]  # fmt: skip
    assert RunChoices(guests=("-p", "x")).pytest_arguments() == [
        "suites", "--guest=-p", "--guest=x", "--tier=standard",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "field",
    [
        {"arguments": ["-p", "evil"]},
        {"folder": "/somewhere"},
        {"cases": ["../evil/test_x.py"]},
        {"cases": ["suites/../../evil/test_x.py"]},
        {"cases": ["-pevil"]},
        {"suites": ["../evil"]},
        {"variants": ["--pdb"]},
        {"accelerator": "xen"},
        {"workers": "2 -p evil"},
        {"guests": []},
    ],
    ids=str,
)
def test_nothing_but_typed_choices_is_taken_from_a_file(
    directory: RunDirectory, field: dict[str, object]
) -> None:
    write_manifest(MANIFEST, directory)
    document = json.loads(directory.manifest.read_text("utf-8"))
    document["choices"] |= field
    directory.manifest.write_text(json.dumps(document), "utf-8")
    with pytest.raises(BadFileError, match="choices"):
        read_manifest(directory)


def open_to_all(path: Path) -> None:
    path.chmod(0o777)


def open_to_the_group(path: Path) -> None:
    path.chmod(0o775)


def given_away(path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can give a file away")
    os.chown(path, 65534, 65534)


def made_a_link(path: Path) -> None:
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


@pytest.mark.parametrize("change", [open_to_all, open_to_the_group, given_away])
@pytest.mark.parametrize("place", [".", "manifest.json", "outcomes.jsonl", "facts", "facts/a.json"])
def test_what_others_own_or_may_write_is_not_resumed(
    directory: RunDirectory, place: str, change: Callable[[Path], None]
) -> None:
    a_whole_directory(directory)
    assert read_manifest(directory) == MANIFEST, "the control: as it was made it is trusted"
    change(directory.path / place)
    with pytest.raises(UsageError, match="is not resumed"):
        read_manifest(directory)


@pytest.mark.parametrize("place", ["manifest.json", "outcomes.jsonl", "facts"])
def test_a_link_in_a_run_directory_is_not_followed(directory: RunDirectory, place: str) -> None:
    a_whole_directory(directory)
    made_a_link(directory.path / place)
    with pytest.raises(UsageError, match="is not resumed"):
        read_manifest(directory)


@pytest.mark.parametrize("change", [open_to_all, given_away])
def test_a_run_that_others_may_replace_is_not_resumed(
    directory: RunDirectory, change: Callable[[Path], None]
) -> None:
    a_whole_directory(directory)
    directory.path.parent.chmod(0o1777)
    assert read_manifest(directory) == MANIFEST, "the control: in a sticky folder it cannot be"
    change(directory.path.parent)
    with pytest.raises(UsageError, match="others can replace it"):
        read_manifest(directory)


def test_what_an_older_guestcert_started_is_refused_in_words(directory: RunDirectory) -> None:
    (directory.path / "begun.json").write_text('{"folder": "/tmp", "arguments": []}', "utf-8")
    with pytest.raises(UsageError, match="started by an older guestcert") as caught:
        read_manifest(directory)
    assert "certify" in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("completion", "outcomes", "finished"),
    [
        (Completion.COMPLETE, [Outcome.PASSED, Outcome.FAILED, Outcome.FLAKY], True),
        (Completion.COMPLETE, [Outcome.PASSED, Outcome.BROKEN], False),
        (Completion.COMPLETE, [Outcome.FAILED, Outcome.BLOCKED], False),
        (Completion.INTERRUPTED, [Outcome.PASSED], False),
        (Completion.STOPPED, [Outcome.PASSED, Outcome.FAILED], False),
    ],
)
def test_a_run_is_finished_where_nothing_is_left_to_do(
    completion: Completion, outcomes: list[Outcome], finished: bool
) -> None:
    run = a_run(*map(an_outcome, outcomes), completion=completion)
    assert is_finished(run) is finished


def a_whole_directory(directory: RunDirectory) -> None:
    """All that a resumed run reads."""
    write_manifest(MANIFEST, directory)
    write(directory, an_outcome())
    (directory.path / "facts").mkdir()
    (directory.path / "facts" / "a.json").write_text("{}", "utf-8")


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
    conclusive = ended not in (Outcome.BROKEN, Outcome.BLOCKED)
    assert kept == ({ended} if conclusive else set())


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
    remove_partial_line(directory)
    with directory.outcomes.open("a", encoding="utf-8") as file:
        file.write(second.model_dump_json() + "\n")
    assert outcomes_so_far(directory) == (first, second)


def test_a_whole_line_that_is_no_outcome_is_told_with_its_number(directory: RunDirectory) -> None:
    write(directory, an_outcome(), then="{}\n")
    with pytest.raises(BadFileError) as caught:
        outcomes_so_far(directory)
    assert (caught.value.file, caught.value.line) == (directory.outcomes, 2)
