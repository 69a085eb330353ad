"""Variants of a guest in a run: its firmware, or on Hyper-V its generation."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from harness.errors import UsageError
from harness.profiles.claims import HypervisorKind
from harness.profiles.hardware import Architecture, Firmware
from harness.profiles.model import Profile


class Generation(StrEnum):
    """Hyper-V's machine generations."""

    GENERATION_1 = "generation-1"
    GENERATION_2 = "generation-2"


Variant = Firmware | Generation

SelectedGuests = Sequence[tuple[Profile, tuple[Variant, ...]]]
"""The guests of a run, each with its variants, the primary first."""

NAMES = (*Firmware, *Generation)
"""The names of all variants."""

BY_NUMBER = {1: Generation.GENERATION_1, 2: Generation.GENERATION_2}


def variants_on(profile: Profile, kind: HypervisorKind) -> tuple[Variant, ...]:
    """The variants of a profile on a hypervisor, the primary first.

    On Hyper-V the generations that the vendor supports, else those with the profile's firmware.
    """
    if kind is HypervisorKind.QEMU:
        return profile.variants
    if profile.hyperv is not None:
        return tuple(BY_NUMBER[number] for number in profile.hyperv.generations)
    numbers = dict.fromkeys(1 if v is Firmware.BIOS else 2 for v in profile.variants)
    return tuple(BY_NUMBER[number] for number in numbers)


def unsupported_reason(profile: Profile, kind: HypervisorKind) -> UsageError | None:
    """The reason why guestcert cannot run that guest on a hypervisor; None if it can."""
    if kind is HypervisorKind.HYPERV or profile.architecture is not Architecture.AARCH64:
        return None
    return UsageError(
        f"{profile.id} cannot run on QEMU yet: it is for {profile.architecture}",
        remedy="select guests for x86_64 or i686, for example with `architecture != aarch64`",
    )


def firmware_of(profile: Profile, variant: Variant) -> Firmware:
    """The firmware of a variant: generation 2 has secure boot if a template fits."""
    if isinstance(variant, Firmware):
        return variant
    if variant is Generation.GENERATION_1:
        return Firmware.BIOS
    templated = profile.hyperv is not None and profile.hyperv.secure_boot_template is not None
    return Firmware.SECURE_BOOT if templated else Firmware.UEFI


def covers(profile: Profile, variant: Variant, wanted: Firmware) -> bool:
    """Whether a case of a firmware applies to this variant; secure boot is also UEFI."""
    firmware = firmware_of(profile, variant)
    if isinstance(variant, Generation) and firmware is Firmware.SECURE_BOOT:
        return wanted in (Firmware.UEFI, Firmware.SECURE_BOOT)
    return firmware is wanted
