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
from harness.results.model import Completion, RunRecord, Status
from harness.results.outcomes import Outcome
from harness.results.upgrade import upgraded

LATEST = "latest"
"""The link beside run directories that points to the newest run with an outcome."""

EVIDENCE = "evidence"
"""The folder of a run directory that holds evidence of failures."""

EXIT_CERTIFIED = 0
EXIT_NOT_CERTIFIED = 1
EXIT_BROKEN = 3


def new_run_id() -> str:
    """A new run id: ids sort by time and are unique."""
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(2)


@dataclass(frozen=True)
class RunDirectory:
    """The folder of one run under reports/, with the paths in it."""

    path: Path

    @property
    def run_json(self) -> Path:
        """The record of the whole run."""
        return self.path / "run.json"

    @property
    def outcomes(self) -> Path:
        """Each outcome as it comes, one a line: nothing is lost when the run is cut off."""
        return self.path / "outcomes.jsonl"

    @property
    def manifest(self) -> Path:
        """The run's choices and environment, written at its start."""
        return self.path / "manifest.json"

    @property
    def junit(self) -> Path:
        """The run as JUnit XML."""
        return self.path / "junit.xml"

    @property
    def allure_results(self) -> Path:
        """The input of Allure's report."""
        return self.path / "allure-results"

    @property
    def site(self) -> Path:
        """The report for people."""
        return self.path / "site"

    def certificate(self, guest: str) -> Path:
        """The certificate of one guest."""
        return self.path / f"certificate-{guest}.json"

    def create(self) -> None:
        """Make the folder, writable by its owner alone.

        The folders that quote guests are readable by the owner alone.
        """
        try:
            self.path.mkdir(mode=0o755, parents=True, exist_ok=True)
            for private in (self.path / EVIDENCE, self.allure_results):
                private.mkdir(exist_ok=True)
                private.chmod(0o700)
        except OSError as error:
            raise HarnessError(
                f"the run directory {self.path} cannot be made: {error.strerror}",
                remedy="free some space, or name another folder with --reports",
            ) from error

    def make_latest(self) -> None:
        """Point `latest` beside the folder at it."""
        fresh = self.path.parent / f".{LATEST}-{self.path.name}"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self.path.name, target_is_directory=True)
        os.replace(fresh, self.path.parent / LATEST)


def write_text(file: Path, text: str) -> None:
    """Write a file atomically: a reader sees the old or the new content.

    Its mode stays. Raises OSError and leaves the old content then.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with fresh.open("x", encoding="utf-8") as stream:  # does not follow a planted link
            stream.write(text)
        if file.exists():
            shutil.copymode(file, fresh)
        fresh.replace(file)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def write_run(run: RunRecord, directory: RunDirectory) -> None:
    """Write run.json; with an outcome in it, `latest` then points to the run."""
    write_text(directory.run_json, run.model_dump_json(indent=1, by_alias=True) + "\n")
    if run.outcomes:
        directory.make_latest()


def read_run(directory: RunDirectory) -> RunRecord:
    """Read run.json, of this or an older version; raises BadFileError for a malformed one."""
    return read_record(directory.run_json)


def read_record(file: Path) -> RunRecord:
    """Read a run's record, of this or an older version; raises BadFileError for a malformed one."""
    try:
        return RunRecord.model_validate(upgraded(json.loads(file.read_text(encoding="utf-8"))))
    except OSError as error:
        raise BadFileError(file, None, "file", f"cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "document"
        raise BadFileError(file, None, field, str(first["msg"])) from error
    except (ValueError, RecursionError) as error:
        raise BadFileError(file, None, "JSON", str(error)) from error


def exit_code(run: RunRecord) -> int:
    """The exit status of `guestcert certify`: 0 the check holds, 1 it does not, 3 unknown.

    A partial run certifies nothing; it holds where every case that ran passed.
    """
    statuses = {certificate.status for certificate in run.certificates}
    outcomes = {outcome.outcome for outcome in run.outcomes}
    if Status.NOT_CERTIFIED in statuses or Outcome.FAILED in outcomes:
        return EXIT_NOT_CERTIFIED
    if not outcomes or any(outcome.traits.repeated for outcome in outcomes):
        return EXIT_BROKEN
    certified = {Status.CERTIFIED, Status.CERTIFIED_WITH_EXCEPTIONS}
    if statuses and statuses <= certified:
        return EXIT_CERTIFIED
    whole = run.completion is Completion.COMPLETE
    if run.selection and whole and Outcome.FLAKY not in outcomes:
        return EXIT_CERTIFIED if Outcome.PASSED in outcomes else EXIT_BROKEN
    return EXIT_BROKEN
