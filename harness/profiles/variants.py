"""The configurations of a guest that a run is about: its firmware, or on Hyper-V its generation."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from harness.errors import UsageError
from harness.profiles.claims import HypervisorKind
from harness.profiles.hardware import Architecture, Firmware
from harness.profiles.model import Profile


class Generation(StrEnum):
    """Hyper-V's two kinds of machines."""

    GENERATION_1 = "generation-1"
    GENERATION_2 = "generation-2"


Variant = Firmware | Generation

SelectedGuests = Sequence[tuple[Profile, tuple[Variant, ...]]]
"""The guests of a run, each with its variants, the primary first."""

NAMES = (*Firmware, *Generation)
"""The names of all variants that there are."""

BY_NUMBER = {1: Generation.GENERATION_1, 2: Generation.GENERATION_2}


def variants_on(profile: Profile, kind: HypervisorKind) -> tuple[Variant, ...]:
    """The variants of a profile on a hypervisor, the primary first.

    On Hyper-V those of which its vendor says that they work, else those that have its firmware.
    """
    if kind is HypervisorKind.QEMU:
        return profile.variants
    if profile.hyperv is not None:
        return tuple(BY_NUMBER[number] for number in profile.hyperv.generations)
    numbers = dict.fromkeys(1 if v is Firmware.BIOS else 2 for v in profile.variants)
    return tuple(BY_NUMBER[number] for number in numbers)


def unsupported_reason(profile: Profile, kind: HypervisorKind) -> UsageError | None:
    """Why guestcert makes no machine for that guest there; None where it does."""
    if kind is HypervisorKind.HYPERV or profile.architecture is not Architecture.AARCH64:
        return None
    return UsageError(
        f"no machine of {profile.id} can be made on QEMU yet: it is for {profile.architecture}",
        remedy="name guests for x86_64 or i686: `architecture != aarch64` is a choice, too",
    )


def firmware_of(profile: Profile, variant: Variant) -> Firmware:
    """What a machine of a variant has: generation 2 enforces signatures where a template fits."""
    if isinstance(variant, Firmware):
        return variant
    if variant is Generation.GENERATION_1:
        return Firmware.BIOS
    templated = profile.hyperv is not None and profile.hyperv.secure_boot_template is not None
    return Firmware.SECURE_BOOT if templated else Firmware.UEFI


def covers(profile: Profile, variant: Variant, wanted: Firmware) -> bool:
    """Whether a case about a firmware is about this variant; signed boot is UEFI's too."""
    firmware = firmware_of(profile, variant)
    if isinstance(variant, Generation) and firmware is Firmware.SECURE_BOOT:
        return wanted in (Firmware.UEFI, Firmware.SECURE_BOOT)
    return firmware is wanted
