"""The manifest of a run, kept from its first moment: a run that was cut off can be resumed."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Final, Literal

from pydantic import ConfigDict, Field, ValidationError

from harness.errors import BadFileError, UsageError
from harness.results.model import Environment, Outcome, OutcomeRecord, Record
from harness.results.store import RunDirectory, write_text

SCHEMA: Final = "guestcert/manifest/1"

INCONCLUSIVE_OUTCOMES = frozenset({Outcome.BROKEN, Outcome.BLOCKED})
"""Of the guest: a case that ended so is run again where its run is resumed."""


class RunManifest(Record):
    """How a run was asked for, and where."""

    schema_: Literal["guestcert/manifest/1"] = Field(default=SCHEMA, alias="schema")
    started: datetime
    resumed: tuple[datetime, ...] = ()  # when it was resumed
    folder: str  # in which pytest was started
    arguments: tuple[str, ...]  # pytest's
    environment: Environment  # of its guests nothing is known yet
    code: str  # the digest of what tests: guestcert's own modules and the suites

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def write_manifest(manifest: RunManifest, directory: RunDirectory) -> None:
    """Write manifest.json."""
    text = manifest.model_dump_json(indent=1, by_alias=True)
    write_text(directory.manifest, text + "\n")


def read_manifest(directory: RunDirectory) -> RunManifest:
    """Read manifest.json; raises UsageError where there is none, BadFileError where it is none."""
    file = directory.manifest
    try:
        return RunManifest.model_validate_json(file.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(
            f"{directory.path} holds no manifest, so its run cannot be resumed",
            remedy="start a new run with `guestcert certify`",
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "document"
        raise BadFileError(file, None, field, str(first["msg"])) from error


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
