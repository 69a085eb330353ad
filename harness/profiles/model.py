"""The model of a guest profile: the facts of one guest OS release, and the claims about it."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from harness.profiles.claims import ClaimEntry, ClaimKind, HypervisorKind
from harness.profiles.documents import Document
from harness.profiles.hardware import Architecture, Firmware, Hardware
from harness.profiles.hyperv import HypervFacts
from harness.profiles.identity import Identity
from harness.profiles.windows import WindowsSetup

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=40)]

X86_MACHINES = {"q35", "pc"}


class System(StrEnum):
    """The kinds of operating systems, which have different guest interfaces."""

    LINUX = "Linux"
    FREEBSD = "FreeBSD"
    WINDOWS = "Windows"


class OsInfo(Document):
    """The guest's entry in osinfo-db; `absent`: the reason if the database has none."""

    id: str = Field(pattern=r"^https?://\S+$")
    absent: str | None = None


class Lifecycle(Document):
    """The release's dates, as far as known; `end_of_life`: the end of general support.

    `end_of_support`: the end of the last support phase that is generally available.
    """

    released: date | None = None
    end_of_life: date | None = None
    end_of_support: date | None = None
    source: str

    @model_validator(mode="after")
    def _in_order(self) -> Lifecycle:
        dates = [d for d in (self.released, self.end_of_life, self.end_of_support) if d]
        if dates != sorted(dates):
            raise ValueError("released, end_of_life and end_of_support must follow in this order")
        return self

    @property
    def end(self) -> date | None:
        """The last day of fixes for the release; None if unknown."""
        return self.end_of_support or self.end_of_life

    def is_over(self, today: date) -> bool:
        """Whether the release no longer gets fixes."""
        return self.end is not None and self.end < today


class Editions(Document):
    """The OS editions that the claims cover."""

    supported: Annotated[tuple[str, ...], Field(min_length=1)]
    excluded: tuple[str, ...] = ()
    source: str


class Method(StrEnum):
    """The provisioning methods of a guest, all unattended."""

    BOOTSTRAP = "bootstrap"
    CLOUD_IMAGE = "cloud-image"
    PRESEED = "preseed"
    AUTOINSTALL = "autoinstall"
    KICKSTART = "kickstart"
    AUTOYAST = "autoyast"
    AGAMA = "agama"
    BSDINSTALL = "bsdinstall"
    AUTOUNATTEND = "autounattend"
    WINNT_SIF = "winnt-sif"
    IMPORT = "import"


class Seed(StrEnum):
    """cloud-init's data sources for seed media, by cloud-init's names."""

    NOCLOUD = "nocloud"
    CONFIG_DRIVE = "config-drive"


class ChannelKind(StrEnum):
    """The channels into a guest."""

    AGENT = "agent"
    CONSOLE = "console"
    SSH = "ssh"
    WINRM = "winrm"
    POWERSHELL_DIRECT = "powershell-direct"


class Budgets(Document):
    """Time budgets in seconds under KVM; scaled for other accelerators."""

    ready_seconds: int = Field(gt=0)
    shutdown_seconds: int = Field(gt=0)


class AgentPolicy(StrEnum):
    """The guest agent's policy as the vendor ships it."""

    UNRESTRICTED = "unrestricted"
    RESTRICTED = "restricted"


class AgentSetup(Document):
    """The guest agent's policy; `open`: the first boot lifts it, so that programs run by it."""

    policy: AgentPolicy = AgentPolicy.UNRESTRICTED
    open: bool = False
    source: str | None = None

    @model_validator(mode="after")
    def _opens_what_is_restricted(self) -> AgentSetup:
        if self.open and self.policy is not AgentPolicy.RESTRICTED:
            raise ValueError("open is for an agent whose policy is restricted")
        return self

    @property
    def blocks(self) -> bool:
        """Whether the profile expects the agent to refuse a command."""
        return self.policy is AgentPolicy.RESTRICTED and not self.open


class Drivers(Document):
    """The kernel drivers expected for the guest's devices, if known.

    `disk` and `nic`: of the preferred models; `generation_id`: if the kernel has a driver.
    """

    disk: str | None = None
    nic: str | None = None
    generation_id: str | None = None


class LogException(Document):
    """A kernel log record, or a failed unit, that is known to be benign."""

    pattern: str
    reason: str
    url: str

    @model_validator(mode="after")
    def _is_pattern(self) -> LogException:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern is not a regular expression: {error}") from error
        return self


class KnownIssue(LogException):
    """A known issue; `pattern` is searched for in the failure's reason."""

    feature: str
    owner: str
    expires: date

    def matches(self, feature: str, reason: str, *, today: date | None = None) -> bool:
        """Whether a failure of `feature` with this reason is this issue, and it has not expired."""
        if feature != self.feature or (today or date.today()) > self.expires:
            return False
        return re.search(self.pattern, reason) is not None


class Difference(Document):
    """A fact that deliberately differs from osinfo-db, with the reason."""

    field: str
    reason: str
    source: str


class Profile(Document):
    """One guest OS release on one architecture."""

    id: Identifier
    name: str
    family: Identifier
    release: str
    osinfo: OsInfo
    lifecycle: Lifecycle
    architecture: Architecture
    editions: Editions | None = None
    identity: Identity = Identity()
    hardware: Hardware
    variants: Annotated[tuple[Firmware, ...], Field(min_length=1)]
    hyperv: HypervFacts | None = None
    provisioning: Annotated[tuple[Method, ...], Field(min_length=1)]
    windows: WindowsSetup | None = None
    recipe: Identifier | None = None
    seed: Seed = Seed.NOCLOUD
    channels: Annotated[tuple[ChannelKind, ...], Field(min_length=1)]
    login: str = Field(default="guestcert", pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")
    budgets: Budgets
    drivers: Drivers = Drivers()
    agent: AgentSetup = AgentSetup()
    log_exceptions: tuple[LogException, ...] = ()
    known_issues: tuple[KnownIssue, ...] = ()
    differences: tuple[Difference, ...] = ()
    sources: dict[str, str]
    claims: tuple[ClaimEntry, ...] = ()

    @model_validator(mode="after")
    def _claims_nothing_twice(self) -> Profile:
        claimed = Counter((e.on, f, e.source) for e in self.claims for f in e.features)
        twice = sorted(f"{feature} on {on}" for (on, feature, _), n in claimed.items() if n > 1)
        if twice:
            raise ValueError(f"claims of one source list {', '.join(twice)} more than once")
        return self

    @model_validator(mode="after")
    def _windows_is_set_up(self) -> Profile:
        if self.windows is None and {Method.AUTOUNATTEND, Method.WINNT_SIF} & set(
            self.provisioning
        ):
            raise ValueError("provisioning lists Windows Setup, and the section windows is missing")
        if self.windows and Method.AUTOUNATTEND in self.provisioning and not self.windows.image:
            raise ValueError("provisioning lists autounattend, and windows.image is missing")
        return self

    @model_validator(mode="after")
    def _machine_fits(self) -> Profile:
        if len(set(self.variants)) != len(self.variants):
            raise ValueError("variants lists an entry more than once")
        x86 = self.architecture is not Architecture.AARCH64
        foreign = [m for m in self.hardware.machine_types if (m in X86_MACHINES) is not x86]
        if foreign:
            raise ValueError(f"{self.architecture} has no machine type {', '.join(foreign)}")
        if Firmware.BIOS in self.variants and not x86:
            raise ValueError(f"variants lists bios, which {self.architecture} does not have")
        if self.hyperv and self.hyperv.generations == (2,) and Firmware.BIOS in self.variants:
            raise ValueError("variants lists bios, and on Hyper-V it boots only in generation 2")
        if self.hyperv and 2 in self.hyperv.generations and self.architecture == "i686":
            raise ValueError("guests of generation 2 are 64-bit, and the architecture is i686")
        return self

    @property
    def system(self) -> System:
        """The kind of operating system."""
        families = {"windows": System.WINDOWS, "freebsd": System.FREEBSD}
        return families.get(self.family, System.LINUX)

    def claims_of(self, feature: str, on: HypervisorKind) -> tuple[ClaimEntry, ...]:
        """The claims about a feature on a hypervisor, of one or several sources."""
        return tuple(e for e in self.claims if e.on is on and feature in e.features)

    def claim_of(self, feature: str, on: HypervisorKind) -> ClaimKind | None:
        """The claim to compare an outcome with; None without claims, or if sources disagree."""
        claimed = {entry.claim for entry in self.claims_of(feature, on)}
        return claimed.pop() if len(claimed) == 1 else None
