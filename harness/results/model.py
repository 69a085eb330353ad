"""The record of a run as `run.json` holds it; its JSON Schema is the format's definition."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from harness.features.tiers import Tier
from harness.results.outcomes import Outcome
from harness.text import sanitize

SCHEMA: Final = "guestcert/run/2"


class Completion(StrEnum):
    """Whether a run came to its end."""

    COMPLETE = "complete"
    INTERRUPTED = "interrupted"  # by Ctrl-C or SIGTERM
    STOPPED = "stopped"  # by itself before its last case: -x, --maxfail, or a fault of pytest's


class Claim(StrEnum):
    """The claim of the vendor or the owner about a feature on a guest."""

    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"
    NONE = "none"


class Verdict(StrEnum):
    """The result for a feature: its outcomes compared with the claim."""

    VERIFIED = "verified"
    VIOLATED = "violated"
    INCONCLUSIVE = "inconclusive"
    AS_CLAIMED = "as-claimed"
    EXCEEDS_CLAIM = "exceeds-claim"
    OBSERVED_WORKING = "observed-working"
    OBSERVED_FAILING = "observed-failing"
    NOT_APPLICABLE = "not-applicable"
    UNTESTED = "untested"


class Untested(StrEnum):
    """Why no case of a feature was run on a variant."""

    PLANNED = "planned"  # it has no case yet
    LATER_TIER = "later-tier"  # its cases run from another tier on
    OTHER_VARIANT = "other-variant"  # its cases ran on another variant of the guest
    NOT_RUN = "not-run"


class Status(StrEnum):
    """The status of a certificate."""

    CERTIFIED = "certified"
    CERTIFIED_WITH_EXCEPTIONS = "certified-with-exceptions"
    NOT_CERTIFIED = "not-certified"
    INCOMPLETE = "incomplete"


class Record(BaseModel):
    """Base of everything in run.json: unknown keys are refused.

    A record may quote a guest and may come from another machine, so its text is sanitized here:
    code that shows or writes it meets no control characters and nothing that cannot be encoded.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="after")
    @classmethod
    def _sanitized(cls, value: Any) -> Any:
        return _sanitized(value)


def _sanitized(value: Any) -> Any:
    """A field's value with all text in it safe to show; its size is bounded where it is made."""
    if type(value) is str:
        return sanitize(value, None)
    if isinstance(value, tuple):
        return tuple(map(_sanitized, value))
    if isinstance(value, dict):
        return {_sanitized(key): _sanitized(its) for key, its in value.items()}
    return value


class Metric(Record):
    """One measured figure of a case."""

    name: str
    value: float = Field(allow_inf_nan=False)  # JSON cannot express them
    unit: str


class CaseRecord(Record):
    """One case on one variant of one guest: what identifies it, and where it is."""

    id: str  # feature and short name; a move of its file does not change it
    case: str  # pytest node id without its parameters
    parameters: str = ""  # its own, as pytest writes them, without the guest and its variant
    feature: str
    guest: str
    variant: str

    @property
    def subject(self) -> str:
        """The node id of the case with its parameters, without its guest."""
        return f"{self.case}[{self.parameters}]" if self.parameters else self.case

    @property
    def name(self) -> str:
        """The id of the case with its parameters: the same in every run."""
        return f"{self.id}[{self.parameters}]" if self.parameters else self.id

    @property
    def key(self) -> str:
        """Case key: unique within a run."""
        return f"{self.name} {self.guest} {self.variant}"


def case_id(feature: str, case: str) -> str:
    """The id of the case with this node id: boot.reset/returns_from_a_hard_reset."""
    return f"{feature}/{case.rpartition('::')[2].removeprefix('test_')}"


class OutcomeRecord(CaseRecord):
    """The outcome of one case on one variant of one guest."""

    hypervisor: str
    outcome: Outcome
    reason: str = ""
    issue: str = ""  # the address of the known issue that occurred
    worker_lost: bool = False  # the worker process died under the case
    attempt: int = Field(default=1, ge=1)  # more than 1: a resumed run repeated the case
    seconds: float = Field(ge=0)
    metrics: tuple[Metric, ...] = ()
    evidence: tuple[str, ...] = ()  # paths relative to the run directory
    title: str = ""  # the case's first docstring line
    rerun: str = ""  # the command that reruns just this case
    ledger: dict[str, float] = Field(default_factory=dict)  # seconds by kind of work
    started: datetime | None = None


class VerdictRecord(Record):
    """The verdict of a run on one feature on one variant of one guest."""

    guest: str
    variant: str
    hypervisor: str
    feature: str
    claim: Claim
    claim_source: str = ""
    verdict: Verdict
    required: bool
    reason: str = ""
    untested: Untested | None = None  # set where the verdict is untested; absent in older records
    tested_on: tuple[str, ...] = ()  # the variants of this guest on which its cases ran
    tier: Tier | None = None  # the lowest in which its cases run; absent in older records

    @property
    def is_relevant(self) -> bool:
        """Whether the feature is claimed or was tested here."""
        return self.claim is not Claim.NONE or self.verdict is not Verdict.UNTESTED


class CertificateException(Record):
    """A known issue or waiver that a certificate carries."""

    feature: str
    reason: str
    owner: str
    url: str = ""
    expires: date | None = None


class Scope(Record):
    """What a certificate covers. A feature is required by its claim and the run's tier."""

    tier: Tier
    variants: tuple[str, ...]
    required: int  # features
    verified: int  # those of them that are verified, and settled on every variant


class CertificateRecord(Record):
    """The certificate of one guest on one hypervisor."""

    guest: str
    hypervisor: str
    status: Status
    reasons: tuple[str, ...] = ()  # one sentence for each feature that stands in the way
    exceptions: tuple[CertificateException, ...] = ()
    image: str = ""  # digest of the base image
    scope: Scope | None = None  # absent in older records


class GuestBuild(Record):
    """The image and profile of one guest's machines, and the software found in them.

    An unknown fact is empty. Older records hold none of the software.
    """

    image: str = ""  # digest
    image_name: str = ""
    profile: str = ""  # digest
    os: str = ""
    kernel: str = ""
    agent: str = ""
    agent_policy: str = ""
    packages: str = ""  # a file of the run directory, relative to it
    packages_digest: str = ""

    def facts(self) -> dict[str, str]:
        """The known facts by name."""
        return {name: value for name, value in self.model_dump().items() if value}


class HostFacts(Record):
    """The host under the guests. An unknown fact is empty."""

    kernel: str = ""
    cpu: str = ""
    microcode: str = ""
    architecture: str = ""
    firmware: str = ""  # the package of UEFI's firmware
    libvirt: str = ""
    module: str = ""  # Hyper-V's, for PowerShell
    powershell: str = ""

    def facts(self) -> dict[str, str]:
        """The known facts by name."""
        return {name: value for name, value in self.model_dump().items() if value}


class Environment(Record):
    """The environment fingerprint: all that may differ between two runs."""

    harness: str
    python: str
    hypervisor: str
    hypervisor_version: str
    hypervisor_uri: str
    accelerator: str
    accelerator_reason: str
    host: HostFacts = HostFacts()
    guests: dict[str, GuestBuild] = Field(default_factory=dict)


class RunRecord(Record):
    """The whole run, as `run.json` holds it."""

    schema_: Literal["guestcert/run/2"] = Field(default=SCHEMA, alias="schema")
    run: str
    started: datetime
    resumed: tuple[datetime, ...] = ()  # when it was resumed after it had been cut off
    finished: datetime
    tier: Tier
    selection: str = ""  # what restricted the run (-k, --suite); empty: nothing
    completion: Completion = Completion.COMPLETE
    environment: Environment
    ledger: dict[str, float]
    outcomes: tuple[OutcomeRecord, ...]
    verdicts: tuple[VerdictRecord, ...]
    certificates: tuple[CertificateRecord, ...]

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @property
    def restriction(self) -> str:
        """Why only a part was run; empty for a whole run."""
        end = "" if self.completion is Completion.COMPLETE else f"{self.completion} before its end"
        return "; ".join(filter(None, (self.selection, end)))
