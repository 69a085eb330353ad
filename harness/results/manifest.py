"""The manifest of a run, written at its start, from which a run that was cut off is resumed."""

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
    OutcomeRecord,
    Record,
    RunRecord,
)
from harness.results.store import RunDirectory, write_text
from harness.tiers import Tier

SCHEMA: Final = "guestcert/manifest/1"

START_NEW = "start a new run with `guestcert certify`"

OLD_NAME = "begun.json"
"""The manifest of an older guestcert: it held a command line, which is never executed."""


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


CasePath = Annotated[str, AfterValidator(_is_under_suites)]
"""A file, a folder or a pytest node id under suites/, relative to the project's folder."""


class RunChoices(Record):
    """The choices of a run, typed; pytest's command line is made from them."""

    guests: tuple[str, ...] = Field(min_length=1)  # ids, globs or expressions
    variants: tuple[Variant, ...] = ()  # none: all that the profiles name
    suites: tuple[Suite, ...] = ()  # neither suites nor cases: all suites
    cases: tuple[CasePath, ...] = ()
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
        """The arguments of pytest for these choices, in the project's folder."""
        arguments = [*(f"suites/{suite}" for suite in self.suites), *self.cases] or ["suites"]
        arguments += [f"--guest={guest}" for guest in self.guests]
        arguments += [f"--variant={variant}" for variant in self.variants]
        arguments.append(f"--tier={self.tier}")
        # A value is joined to its option, so that pytest never takes it for another option.
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
    """The choices and the environment of a run."""

    schema_: Literal["guestcert/manifest/1"] = Field(default=SCHEMA, alias="schema")
    started: datetime
    resumed: tuple[datetime, ...] = ()  # when it was resumed
    choices: RunChoices
    untyped: tuple[str, ...] = ()  # pytest's other arguments: shown, never executed
    environment: Environment  # without guests: nothing is known of them yet
    code: str  # the digest of guestcert's modules and the suites

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def write_manifest(manifest: RunManifest, directory: RunDirectory) -> None:
    """Write manifest.json."""
    text = manifest.model_dump_json(indent=1, by_alias=True)
    write_text(directory.manifest, text + "\n")


def read_manifest(directory: RunDirectory) -> RunManifest:
    """Read manifest.json of a run directory that only this user can have written.

    Raises UsageError where it is missing or untrusted, BadFileError where it is malformed.
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
    """Whether nothing is left to do: the run completed, and no outcome is inconclusive."""
    repeated = any(o.outcome.traits.repeated for o in run.outcomes)
    return run.completion is Completion.COMPLETE and not repeated


def outcomes_so_far(directory: RunDirectory) -> tuple[OutcomeRecord, ...]:
    """The conclusive outcomes in outcomes.jsonl; the last one of a case counts.

    Raises BadFileError for a line that is not an outcome, except a truncated last one.
    """
    found = {}
    for number, line in enumerate(_complete_lines(directory), start=1):
        try:
            outcome = OutcomeRecord.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise BadFileError(directory.outcomes, number, "line", str(first["msg"])) from error
        found[outcome.identity] = outcome
    return tuple(o for o in found.values() if not o.outcome.traits.repeated)


def remove_partial_line(directory: RunDirectory) -> None:
    """Remove the truncated last line that a killed process left in outcomes.jsonl."""
    if directory.outcomes.exists():
        os.truncate(directory.outcomes, complete_length(directory))


def complete_length(directory: RunDirectory) -> int:
    """The length of outcomes.jsonl in bytes, up to the end of its last complete line."""
    return sum(len(line) for line in _complete_lines(directory))


def _complete_lines(directory: RunDirectory) -> list[bytes]:
    try:
        lines = directory.outcomes.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return []
    return [line for line in lines if line.endswith(b"\n")]


def _require_own(directory: RunDirectory) -> None:
    """Raise UsageError where another user owns or can write what a run is resumed from."""
    for path in _files(directory):
        found = path.lstat()
        linked = path != directory.path and stat.S_ISLNK(found.st_mode)
        if linked or found.st_uid not in (os.geteuid(), 0) or found.st_mode & 0o022:
            raise UsageError(
                f"the run {directory.path.name} is not resumed: {path} is a link, belongs to "
                "another user, or is writable by others",
                remedy=f"inspect it; where it is yours: chmod -R go-w {directory.path}",
            )
    for parent in directory.path.parents:
        found = parent.stat()
        shared = found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX
        if shared or found.st_uid not in (os.geteuid(), 0):
            raise UsageError(
                f"the run {directory.path.name} is not resumed: others can replace it, since "
                f"{parent} belongs to another user or is world-writable",
                remedy="move the run to a folder that you own, and name it by its path",
            )


def _files(directory: RunDirectory) -> Iterator[Path]:
    """The files that a resumed run reads from its directory."""
    yield directory.path
    facts = directory.path / "facts"
    for path in (directory.manifest, directory.outcomes, directory.run_json, facts):
        if path.is_symlink() or path.exists():
            yield path
    yield from sorted(facts.glob("*.json"))
