"""Run directories: their names, their layout, and run.json written and read."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from harness.errors import BadFileError, HarnessError
from harness.results.model import Completion, Outcome, RunRecord, Status

LATEST = "latest"
"""The link beside run directories that points to the newest run that tested anything."""

EVIDENCE = "evidence"
"""The folder of a run directory that holds what tells of failures."""

EXIT_CERTIFIED = 0
EXIT_NOT_CERTIFIED = 1
EXIT_BROKEN = 3


def new_run_id() -> str:
    """A name for a run: names sort by time, and no two runs share one."""
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(2)


@dataclass(frozen=True)
class RunDirectory:
    """The folder of one run under reports/, and where things are in it."""

    path: Path

    @property
    def run_json(self) -> Path:
        """The record of the whole run."""
        return self.path / "run.json"

    @property
    def outcomes(self) -> Path:
        """Each outcome as it comes, one a line: nothing is lost where the run is cut off."""
        return self.path / "outcomes.jsonl"

    @property
    def manifest(self) -> Path:
        """How the run was asked for, from its first moment on."""
        return self.path / "manifest.json"

    @property
    def junit(self) -> Path:
        """The run as JUnit XML."""
        return self.path / "junit.xml"

    @property
    def allure_results(self) -> Path:
        """What Allure makes its report from."""
        return self.path / "allure-results"

    @property
    def site(self) -> Path:
        """The report to read."""
        return self.path / "site"

    def certificate(self, guest: str) -> Path:
        """The certificate of one guest."""
        return self.path / f"certificate-{guest}.json"

    def create(self) -> None:
        """Make the folder, in which nobody else may write.

        Where guests' own words are kept, none but the owner may read.
        """
        try:
            self.path.mkdir(mode=0o755, parents=True, exist_ok=True)
            for private in (self.path / EVIDENCE, self.allure_results):
                private.mkdir(exist_ok=True)
                private.chmod(0o700)
        except OSError as error:
            raise HarnessError(
                f"the run directory {self.path} can not be made: {error.strerror}",
                remedy="free some space, or name another folder with --reports",
            ) from error

    def make_latest(self) -> None:
        """Point `latest` beside the folder at it."""
        fresh = self.path.parent / f".{LATEST}-{self.path.name}"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self.path.name, target_is_directory=True)
        os.replace(fresh, self.path.parent / LATEST)


def write_text(file: Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new content, never half of it.

    Its mode stays as it was. Raises OSError, and leaves the old content then.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with fresh.open("x", encoding="utf-8") as stream:  # follows no link that lies in wait
            stream.write(text)
        if file.exists():
            shutil.copymode(file, fresh)
        fresh.replace(file)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def write_run(run: RunRecord, directory: RunDirectory) -> None:
    """Write run.json; `latest` points to the run from then on, where it tested anything."""
    write_text(directory.run_json, run.model_dump_json(indent=1, by_alias=True) + "\n")
    if run.outcomes:
        directory.make_latest()


def read_run(directory: RunDirectory) -> RunRecord:
    """Read run.json; raises BadFileError where it is missing or not of this schema."""
    return read_record(directory.run_json)


def read_record(file: Path) -> RunRecord:
    """Read a run's record; raises BadFileError where it is missing or not of this schema."""
    try:
        return RunRecord.model_validate(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise BadFileError(file, None, "file", f"can not be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "document"
        raise BadFileError(file, None, field, str(first["msg"])) from error
    except (ValueError, RecursionError) as error:
        raise BadFileError(file, None, "JSON", str(error)) from error


def exit_code(run: RunRecord) -> int:
    """What `guestcert certify` ends with: 0 the asked-for check holds, 1 it does not, 3 unknown.

    A run of a part of the suites certifies nothing; there it counts that all that ran holds.
    """
    statuses = {certificate.status for certificate in run.certificates}
    outcomes = {outcome.outcome for outcome in run.outcomes}
    if Status.NOT_CERTIFIED in statuses or Outcome.FAILED in outcomes:
        return EXIT_NOT_CERTIFIED
    if not outcomes or outcomes & {Outcome.BROKEN, Outcome.BLOCKED}:
        return EXIT_BROKEN
    certified = {Status.CERTIFIED, Status.CERTIFIED_WITH_EXCEPTIONS}
    if statuses and statuses <= certified:
        return EXIT_CERTIFIED
    whole = run.completion is Completion.COMPLETE
    if run.selection and whole and Outcome.FLAKY not in outcomes:
        return EXIT_CERTIFIED if Outcome.PASSED in outcomes else EXIT_BROKEN
    return EXIT_BROKEN
