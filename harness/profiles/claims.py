"""Claims of vendors and owners about a guest's features, by hypervisor and with a source."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from harness.profiles.documents import Document


class HypervisorKind(StrEnum):
    """The kinds of hypervisors in claims."""

    QEMU = "qemu"
    HYPERV = "hyperv"

    @classmethod
    def of(cls, uri: str) -> HypervisorKind:
        """The kind of a connection's URI; libvirt's other drivers count as QEMU."""
        return cls.HYPERV if uri.startswith("hyperv") else cls.QEMU


class ClaimKind(StrEnum):
    """The kind of a claim about a feature."""

    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"


class Condition(Document):
    """The condition of a claim; every part in the source's terms."""

    host: str | None = None
    generation: str | None = None
    package: str | None = None
    kernel: str | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Condition:
        if not self.model_fields_set:
            raise ValueError("a condition names host, generation, package, kernel or note")
        return self

    def __str__(self) -> str:
        parts = self.model_dump(exclude_none=True)
        return "; ".join(w if part == "note" else f"{part} {w}" for part, w in parts.items())


class ClaimEntry(Document):
    """A source's claim about features on one hypervisor; `source` is a key of `sources`."""

    on: HypervisorKind
    features: Annotated[tuple[str, ...], Field(min_length=1)]
    claim: ClaimKind
    when: Condition | None = None
    source: str
