"""A guest's variants: its firmware, and on Hyper-V its generations."""

from __future__ import annotations

import pytest

from harness.profiles.claims import HypervisorKind
from harness.profiles.hardware import Firmware
from harness.profiles.loader import load_profiles
from harness.profiles.variants import (
    Generation,
    Variant,
    covers,
    firmware_of,
    unsupported_reason,
    variants_on,
)

BIOS, UEFI, SIGNED = Firmware.BIOS, Firmware.UEFI, Firmware.SECURE_BOOT
ONE, TWO = Generation.GENERATION_1, Generation.GENERATION_2
PROFILES = {profile.id: profile for profile in load_profiles()}


@pytest.mark.parametrize(
    ("guest", "variants"),
    [
        ("debian-12", (ONE, TWO)),  # not in Microsoft's list: by its firmware
        ("oracle-linux-9", (ONE, TWO)),
        ("windows-server-2008-sp2", (ONE,)),
        ("windows-11", (TWO,)),
    ],
)
def test_hyperv_has_generations(guest: str, variants: tuple[Variant, ...]) -> None:
    assert variants_on(PROFILES[guest], HypervisorKind.HYPERV) == variants


def test_every_profile_has_a_variant_on_every_hypervisor() -> None:
    for profile in PROFILES.values():
        assert variants_on(profile, HypervisorKind.QEMU) == profile.variants
        assert variants_on(profile, HypervisorKind.HYPERV)


@pytest.mark.parametrize(
    ("guest", "variant", "firmware"),
    [
        ("debian-12", UEFI, UEFI),
        ("debian-12", TWO, UEFI),
        ("oracle-linux-9", ONE, BIOS),
        ("oracle-linux-9", TWO, SIGNED),
    ],
)
def test_a_generation_is_a_firmware(guest: str, variant: Variant, firmware: Firmware) -> None:
    assert firmware_of(PROFILES[guest], variant) is firmware


@pytest.mark.parametrize(
    ("guest", "variant", "covered"),
    [
        ("oracle-linux-9", ONE, {BIOS}),
        ("oracle-linux-9", TWO, {UEFI, SIGNED}),
        ("debian-12", TWO, {UEFI}),
        ("oracle-linux-9", SIGNED, {SIGNED}),
    ],
)
def test_cases_about_a_firmware_run_on_the_generation_that_has_it(
    guest: str, variant: Variant, covered: set[Firmware]
) -> None:
    assert {f for f in Firmware if covers(PROFILES[guest], variant, f)} == covered


def test_a_guest_that_no_machine_is_made_for_is_refused() -> None:
    refusal = unsupported_reason(PROFILES["windows-11-arm64"], HypervisorKind.QEMU)
    assert refusal is not None
    assert refusal.sentence.startswith("windows-11-arm64 cannot run on QEMU")
    assert unsupported_reason(PROFILES["windows-11-arm64"], HypervisorKind.HYPERV) is None
    made = [
        profile
        for profile in PROFILES.values()
        if not unsupported_reason(profile, HypervisorKind.QEMU)
    ]
    assert {str(profile.architecture) for profile in made} == {"x86_64", "i686"}
