"""Errors, sorted by fault: the user's, the lab's or the guest's."""

from __future__ import annotations

import errno
from pathlib import Path

from harness.text import sanitize

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Numbers of the OSErrors of a file system, quota or limit that takes no more."""


class GuestcertError(Exception):
    """One clear sentence about a fault, its evidence, and the remedy.

    It may quote guests and foreign files: its text is bounded and safe to show.
    """

    exit_code = 3

    def __init__(
        self, sentence: str, *, remedy: str | None = None, evidence: Path | str | None = None
    ) -> None:
        self.sentence = sanitize(sentence)
        self.remedy = None if remedy is None else sanitize(remedy)
        self.evidence = evidence
        super().__init__(self.__str__())

    def __str__(self) -> str:
        parts = [self.sentence]
        if self.evidence is not None:
            parts.append(f"Evidence: {sanitize(str(self.evidence))}")
        if self.remedy is not None:
            parts.append(f"Try: {self.remedy}")
        return "\n".join(parts)


class UsageError(GuestcertError):
    """The user asked for something that does not exist or does not fit; exit code 2."""

    exit_code = 2


class BadFileError(UsageError):
    """A user's file is invalid; names file, line, field and the nearest valid value."""

    def __init__(
        self, file: Path, line: int | None, field: str, problem: str, *, remedy: str | None = None
    ) -> None:
        self.file = file
        self.line = line
        self.field = field
        self.problem = problem
        where = f"{file}:{line}" if line is not None else str(file)
        super().__init__(f"{where}: {field}: {problem}", remedy=remedy)


class HarnessError(GuestcertError):
    """The harness or the lab broke: no verdict on the guest (outcome `broken`, exit code 3)."""


class ControlFailedError(HarnessError):
    """A case's control failed, so that its observation proves nothing about the guest."""


class HypervisorError(HarnessError):
    """The hypervisor answered a request with an error."""


class HypervisorUnreachableError(HypervisorError):
    """The hypervisor cannot be connected to, or the connection was lost."""


class ChannelError(HarnessError):
    """A channel into the guest gave no answer, or an invalid one."""


class GuestFailure(AssertionError):  # noqa: N818 - it is a verdict, not an error in the harness
    """The guest broke a promise (outcome `failed`); an AssertionError, like every oracle's."""

    def __init__(self, sentence: str, *, evidence: Path | str | None = None) -> None:
        self.sentence = sanitize(sentence)
        self.evidence = evidence
        where = "" if evidence is None else f"\nEvidence: {sanitize(str(evidence))}"
        super().__init__(self.sentence + where)


class GuestCrashed(GuestFailure):
    """The guest's kernel reported a crash (panic, bugcheck)."""


class GuestTimeout(GuestFailure):
    """The guest exceeded a time budget."""


class Blocked(Exception):  # noqa: N818
    """A feature that the case builds on failed (outcome `blocked`); a case of it is `failed`.

    `evidence`: files of the failure, relative to the run directory.
    """

    def __init__(self, feature: str, sentence: str, *, evidence: tuple[str, ...] = ()) -> None:
        self.feature = feature
        self.sentence = sanitize(sentence)
        self.evidence = evidence
        super().__init__(f"{feature}: {self.sentence}")


class NotApplicable(Exception):  # noqa: N818
    """The case does not apply to this hypervisor or profile (outcome `not_applicable`)."""

    def __init__(self, reason: str) -> None:
        super().__init__(sanitize(reason))
