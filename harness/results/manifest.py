"""The manifest of a run, kept from its first moment: a run that was cut off can be resumed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, ValidationError

from harness.errors import BadFileError, UsageError
from harness.hypervisors.definitions import Accelerator
from harness.profiles.variants import Variant
from harness.results.model import (
    Completion,
    Environment,
    Outcome,
    OutcomeRecord,
    Record,
    RunRecord,
)
from harness.results.store import RunDirectory, write_text
from harness.tiers import Tier

SCHEMA: Final = "guestcert/manifest/1"

START_NEW = "start a new run with `guestcert certify`"

OLD_NAME = "begun.json"
"""The file that an older guestcert kept instead: it held a command line, which is not run."""

INCONCLUSIVE_OUTCOMES = frozenset({Outcome.BROKEN, Outcome.BLOCKED})
"""Of the guest: a case that ended so is run again where its run is resumed."""


class Suite(StrEnum):
    """The suites, which are folders under suites/."""

    BOOT = "boot"
    ISOLATION = "isolation"
    INTEGRATION = "integration"


def _is_under_suites(case: str) -> str:
    path = PurePosixPath(case.partition("::")[0])
    if path.parts[:1] != ("suites",) or ".." in path.parts:
        raise ValueError("is not a file or a folder under suites/")
    return case


Case = Annotated[str, AfterValidator(_is_under_suites)]
"""A file, a folder or pytest's node id under suites/, from the project's folder."""


class RunChoices(Record):
    """What a run was asked for, each choice by its type; pytest's command line is made of it."""

    guests: tuple[str, ...] = Field(min_length=1)  # ids, globs or expressions
    variants: tuple[Variant, ...] = ()  # none: all that the profiles name
    suites: tuple[Suite, ...] = ()  # neither these nor cases: all suites
    cases: tuple[Case, ...] = ()
    tier: Tier = Tier.STANDARD
    image: Path | None = None
    recipe: str | None = None
    accelerator: Accelerator | None = None
    hypervisor: str | None = None
    workers: int | None = Field(default=None, ge=0)
    keyword: str = ""  # pytest's -k
    markers: str = ""  # pytest's -m
    exit_first: bool = False  # pytest's -x

    def pytest_arguments(self) -> list[str]:
        """The arguments of pytest that ask for this, in the project's folder."""
        arguments = [*(f"suites/{suite}" for suite in self.suites), *self.cases] or ["suites"]
        arguments += [f"--guest={guest}" for guest in self.guests]
        arguments += [f"--variant={variant}" for variant in self.variants]
        arguments.append(f"--tier={self.tier}")
        # A value stands in one word with its option, so that it is never taken for another one.
        for option, value in (
            ("--image=", self.image),
            ("--recipe=", self.recipe),
            ("--accelerator=", self.accelerator),
            ("--hypervisor=", self.hypervisor),
            ("--numprocesses=", self.workers),
            ("-k", self.keyword or None),
            ("-m", self.markers or None),
        ):
            arguments += [f"{option}{value}"] if value is not None else []
        return [*arguments, "-x"] if self.exit_first else arguments


class RunManifest(Record):
    """How a run was asked for, and where."""

    schema_: Literal["guestcert/manifest/1"] = Field(default=SCHEMA, alias="schema")
    started: datetime
    resumed: tuple[datetime, ...] = ()  # when it was resumed
    choices: RunChoices
    untyped: tuple[str, ...] = ()  # pytest's other arguments: shown, and never used from here
    environment: Environment  # of its guests nothing is known yet
    code: str  # the digest of what tests: guestcert's own modules and the suites

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def write_manifest(manifest: RunManifest, directory: RunDirectory) -> None:
    """Write manifest.json."""
    text = manifest.model_dump_json(indent=1, by_alias=True)
    write_text(directory.manifest, text + "\n")


def read_manifest(directory: RunDirectory) -> RunManifest:
    """Read manifest.json, of a run directory that nobody else can have written.

    Raises UsageError where there is none or it is not to be trusted, BadFileError where it is
    malformed.
    """
    file = directory.manifest
    if not file.exists() and (directory.path / OLD_NAME).exists():
        raise UsageError(
            f"the run {directory.path.name} was started by an older guestcert, which kept a "
            "command line instead of choices, so it cannot be resumed",
            remedy=START_NEW,
        )
    _require_own(directory)
    try:
        return RunManifest.model_validate_json(file.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(
            f"{directory.path} holds no manifest, so its run cannot be resumed",
            remedy=START_NEW,
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "document"
        raise BadFileError(file, None, field, str(first["msg"])) from error


def is_finished(run: RunRecord) -> bool:
    """Whether nothing is left to do: it came to its end, and every case told something."""
    ended = {outcome.outcome for outcome in run.outcomes}
    return run.completion is Completion.COMPLETE and not ended & INCONCLUSIVE_OUTCOMES


def outcomes_so_far(directory: RunDirectory) -> tuple[OutcomeRecord, ...]:
    """What outcomes.jsonl tells of the guests: the last of each case, if it tells anything.

    Raises BadFileError where a line is no outcome, but for a last one that was cut off.
    """
    found = {}
    for number, line in enumerate(_whole_lines(directory), start=1):
        try:
            outcome = OutcomeRecord.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise BadFileError(directory.outcomes, number, "line", str(first["msg"])) from error
        found[outcome.identity] = outcome
    return tuple(o for o in found.values() if o.outcome not in INCONCLUSIVE_OUTCOMES)


def cut_half_line(directory: RunDirectory) -> None:
    """Take from outcomes.jsonl what a killed process left of its last line."""
    if directory.outcomes.exists():
        os.truncate(directory.outcomes, whole_length(directory))


def whole_length(directory: RunDirectory) -> int:
    """The bytes of outcomes.jsonl up to the end of its last whole line."""
    return sum(len(line) for line in _whole_lines(directory))


def _whole_lines(directory: RunDirectory) -> list[bytes]:
    try:
        lines = directory.outcomes.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return []
    return [line for line in lines if line.endswith(b"\n")]


def _require_own(directory: RunDirectory) -> None:
    """Raise UsageError where another user owns what a run is resumed from, or may write there."""
    for path in _files(directory):
        found = path.lstat()
        linked = path != directory.path and stat.S_ISLNK(found.st_mode)
        if linked or found.st_uid not in (os.geteuid(), 0) or found.st_mode & 0o022:
            raise UsageError(
                f"the run {directory.path.name} is not resumed: {path} is a link, belongs to "
                "another user, or may be written by others",
                remedy=f"look what it holds; where it is yours: chmod -R go-w {directory.path}",
            )
    for parent in directory.path.parents:
        found = parent.stat()
        shared = found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX
        if shared or found.st_uid not in (os.geteuid(), 0):
            raise UsageError(
                f"the run {directory.path.name} is not resumed: others may replace it, since "
                f"{parent} belongs to another user or may be written by everybody",
                remedy="move the run to a folder of your own, and name it by its path",
            )


def _files(directory: RunDirectory) -> Iterator[Path]:
    """What a resumed run reads of its directory."""
    yield directory.path
    facts = directory.path / "facts"
    for path in (directory.manifest, directory.outcomes, directory.run_json, facts):
        if path.is_symlink() or path.exists():
            yield path
    yield from sorted(facts.glob("*.json"))
