"""Microsoft's facts of a guest on Hyper-V."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness.profiles.documents import Document


class SecureBootTemplate(StrEnum):
    """Secure boot templates, the firmware's trusted signers, by Set-VMFirmware's names."""

    MICROSOFT_WINDOWS = "MicrosoftWindows"
    MICROSOFT_UEFI = "MicrosoftUEFICertificateAuthority"


class IntegrationDelivery(StrEnum):
    """How the integration services are delivered to the guest."""

    BUILT_IN = "built-in"
    PACKAGE = "package"
    DOWNLOAD = "download"
    UPDATES = "updates"
    MEDIA = "media"
    UNAVAILABLE = "unavailable"


class VcpuLimits(Document):
    """The maximum number of virtual processors, by generation."""

    generation_1: int | None = Field(default=None, gt=0)
    generation_2: int | None = Field(default=None, gt=0)


class HypervFacts(Document):
    """Facts of a guest on Hyper-V; `listed`: in Microsoft's current list of supported guests."""

    listed: bool
    generations: Annotated[tuple[Literal[1, 2], ...], Field(min_length=1)]
    secure_boot_template: SecureBootTemplate | None = None
    integration_services: IntegrationDelivery
    maximum_vcpus: VcpuLimits = VcpuLimits()
    legacy_processor: bool = False
    source: str

    @model_validator(mode="after")
    def _fits_the_generations(self) -> HypervFacts:
        if list(self.generations) != sorted(set(self.generations)):
            raise ValueError("generations should be [1], [2] or [1, 2]")
        if self.secure_boot_template and 2 not in self.generations:
            raise ValueError("secure_boot_template is for generation 2, which generations lack")
        for generation in (1, 2):
            limit = getattr(self.maximum_vcpus, f"generation_{generation}")
            if limit is not None and generation not in self.generations:
                raise ValueError(
                    f"maximum_vcpus names generation {generation}, which generations lack"
                )
        return self
