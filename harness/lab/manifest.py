"""The manifest of a run, written at its start, from which a run that was cut off is resumed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from pydantic import ConfigDict, Field, ValidationError

from harness.errors import BadFileError, UsageError
from harness.lab.run_choices import RunChoices
from harness.results.model import Environment, Record
from harness.results.store import RunDirectory, write_text

SCHEMA: Final = "guestcert/manifest/1"

START_NEW = "start a new run with `guestcert certify`"

OLD_NAME = "begun.json"
"""The manifest of an older guestcert: it held a command line, which is never executed."""


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
