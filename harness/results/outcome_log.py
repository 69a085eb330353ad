"""The outcome log of a run, outcomes.jsonl: each outcome as it came, one a line."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

from pydantic import ValidationError

from harness.errors import BadFileError
from harness.results.model import Completion, OutcomeRecord, RunRecord
from harness.results.store import RunDirectory


def is_finished(run: RunRecord) -> bool:
    """Whether nothing is left to do: the run completed, and no outcome is inconclusive."""
    repeated = any(o.outcome.traits.repeated for o in run.outcomes)
    return run.completion is Completion.COMPLETE and not repeated


def outcomes_so_far(directory: RunDirectory) -> tuple[OutcomeRecord, ...]:
    """The conclusive outcomes in the log; the last one of a case counts.

    Raises BadFileError for a line that is not an outcome, except a truncated last one.
    """
    found = {outcome.key: outcome for outcome in _outcomes(directory)}
    return tuple(o for o in found.values() if not o.outcome.traits.repeated)


def attempts(directory: RunDirectory) -> Counter[str]:
    """How often each case ran, by its key. Raises BadFileError as `outcomes_so_far` does."""
    return Counter(outcome.key for outcome in _outcomes(directory))


def _outcomes(directory: RunDirectory) -> Iterator[OutcomeRecord]:
    for number, line in enumerate(_complete_lines(directory), start=1):
        try:
            yield OutcomeRecord.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise BadFileError(directory.outcomes, number, "line", str(first["msg"])) from error


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
