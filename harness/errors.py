"""What can go wrong, sorted by whose fault it is: the user's, the lab's or the guest's."""

from __future__ import annotations

from pathlib import Path

from harness.text import sanitize


class GuestcertError(Exception):
    """One clear sentence about a fault, where its evidence is, and what to try.

    It may quote guests and foreign files: what it holds is bounded and safe to show.
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
    """A file of the user's is wrong; says file, line, field and the nearest valid value."""

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
    """The harness or the lab broke; tells nothing of the guest (outcome `broken`, exit code 3)."""


class ControlFailedError(HarnessError):
    """A case's control did not hold, so that its observation proves nothing about the guest."""


class HypervisorError(HarnessError):
    """The hypervisor answered a request with an error."""


class HypervisorUnreachableError(HypervisorError):
    """No connection to the hypervisor can be made, or it was lost."""


class ChannelError(HarnessError):
    """A channel into the guest gave no answer or one that cannot be understood."""


class GuestFailure(AssertionError):  # noqa: N818 - it is a verdict, not an error of ours
    """The guest broke a promise (outcome `failed`). An AssertionError, as every oracle's is."""

    def __init__(self, sentence: str, *, evidence: Path | str | None = None) -> None:
        self.sentence = sanitize(sentence)
        self.evidence = evidence
        where = "" if evidence is None else f"\nEvidence: {sanitize(str(evidence))}"
        super().__init__(self.sentence + where)


class GuestCrashed(GuestFailure):
    """The guest's kernel said that it died (panic, bugcheck)."""


class GuestTimeout(GuestFailure):
    """What was awaited of the guest did not come within its budget."""


class Blocked(Exception):  # noqa: N818
    """What a case builds on failed (outcome `blocked`); a case of that feature itself failed.

    `evidence` are files of the run directory that tell about it, relative to it.
    """

    def __init__(self, feature: str, sentence: str, *, evidence: tuple[str, ...] = ()) -> None:
        self.feature = feature
        self.sentence = sanitize(sentence)
        self.evidence = evidence
        super().__init__(f"{feature}: {self.sentence}")


class NotApplicable(Exception):  # noqa: N818
    """The hypervisor or the profile rules this case out (outcome `not_applicable`)."""

    def __init__(self, reason: str) -> None:
        super().__init__(sanitize(reason))
