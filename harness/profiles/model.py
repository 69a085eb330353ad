"""The model of a guest profile: the facts of one guest OS release, and what is claimed of it."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from harness.profiles.documents import Document

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=40)]


class Firmware(StrEnum):
    """How a machine starts its boot loader."""

    BIOS = "bios"
    UEFI = "uefi"
    SECURE_BOOT = "secure-boot"


class Architecture(StrEnum):
    """Processor architectures, as the kernel names them."""

    X86_64 = "x86_64"
    I686 = "i686"
    AARCH64 = "aarch64"


class DiskBus(StrEnum):
    """Buses that a root disk can sit on."""

    VIRTIO = "virtio"
    SCSI = "scsi"
    SATA = "sata"
    IDE = "ide"


class NicModel(StrEnum):
    """Models of network cards."""

    VIRTIO = "virtio"
    E1000E = "e1000e"
    E1000 = "e1000"
    RTL8139 = "rtl8139"


class MachineType(StrEnum):
    """Chipsets that QEMU emulates."""

    Q35 = "q35"
    PC = "pc"


class ClaimKind(StrEnum):
    """What a vendor says of a feature."""

    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"


class Lifecycle(Document):
    """When the release came and goes; `source` is where it is written."""

    released: date
    end_of_life: date
    end_of_support: date
    source: str

    @model_validator(mode="after")
    def _in_order(self) -> Lifecycle:
        if not self.released <= self.end_of_life <= self.end_of_support:
            raise ValueError("released, end_of_life and end_of_support must follow in this order")
        return self


class Range(Document):
    """A least and a recommended amount."""

    minimum: int = Field(gt=0)
    recommended: int = Field(gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> Range:
        if self.minimum > self.recommended:
            raise ValueError(f"minimum {self.minimum} is above recommended {self.recommended}")
        return self


class Hardware(Document):
    """What a machine for this guest looks like."""

    memory_mib: Range
    vcpus: Range
    disk_gib: Range
    machine_type: MachineType
    disk_bus: DiskBus
    nic_model: NicModel


class Budgets(Document):
    """How long things may take with KVM, in seconds; stretched for other accelerators."""

    ready_seconds: int = Field(gt=0)
    shutdown_seconds: int = Field(gt=0)


class Drivers(Document):
    """The kernel drivers that are expected behind the guest's devices."""

    disk: str
    nic: str


class LogException(Document):
    """A line of the kernel log, or a failed unit, that is known and harmless."""

    pattern: str
    reason: str
    url: str

    @model_validator(mode="after")
    def _is_pattern(self) -> LogException:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern is no regular expression: {error}") from error
        return self


class KnownIssue(LogException):
    """A failure that is on record; `pattern` is looked for in the failure's reason."""

    feature: str
    owner: str
    expires: date

    def matches(self, feature: str, reason: str, *, today: date | None = None) -> bool:
        """Whether a failure of `feature` with this reason is the one on record, and not expired."""
        if feature != self.feature or (today or date.today()) > self.expires:
            return False
        return re.search(self.pattern, reason) is not None


class ClaimEntry(Document):
    """What a source claims of some features."""

    features: tuple[str, ...] = Field(min_length=1)
    claim: ClaimKind
    source: str


class Profile(Document):
    """One guest OS release."""

    id: Identifier
    name: str
    family: Identifier
    release: str
    osinfo_id: str
    lifecycle: Lifecycle
    architecture: Architecture
    hardware: Hardware
    variants: tuple[Firmware, ...] = Field(min_length=1)
    recipe: Identifier
    login: str = Field(default="guestcert", pattern=r"^[a-z][a-z0-9_-]*$")
    budgets: Budgets
    drivers: Drivers
    log_exceptions: tuple[LogException, ...] = ()
    known_issues: tuple[KnownIssue, ...] = ()
    claims: tuple[ClaimEntry, ...] = ()

    @model_validator(mode="after")
    def _no_feature_twice(self) -> Profile:
        claimed = [feature for entry in self.claims for feature in entry.features]
        twice = sorted({feature for feature in claimed if claimed.count(feature) > 1})
        if twice:
            raise ValueError(f"claims name {', '.join(twice)} more than once")
        if len(set(self.variants)) != len(self.variants):
            raise ValueError("variants name one more than once")
        return self

    def claim_of(self, feature: str) -> ClaimEntry | None:
        """What is claimed of a feature; None where nothing is."""
        return next((entry for entry in self.claims if feature in entry.features), None)
