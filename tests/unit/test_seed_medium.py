"""The seed medium of a slot, by its blueprint."""

from __future__ import annotations

import pytest

from harness.guests.guest import Credentials
from harness.hypervisors.definitions import Accelerator
from harness.lab.machine_slot import Blueprint
from harness.lab.ownership import own
from harness.lab.seed_medium import _unit_timeout
from harness.profiles.hardware import Firmware
from harness.profiles.loader import load_profiles


def unit_timeout_of(guest: str, accelerator: Accelerator) -> int | None:
    (profile,) = [profile for profile in load_profiles() if profile.id == guest]
    blueprint = Blueprint(
        profile, Firmware.BIOS, accelerator, Credentials("guestcert", "secret"), own("test")
    )
    return _unit_timeout(blueprint)


@pytest.mark.parametrize(
    ("guest", "accelerator", "unit_timeout"),
    [
        ("debian-12", Accelerator.TCG, 720),
        ("debian-12", Accelerator.KVM, None),
        ("freebsd-8.4", Accelerator.TCG, None),
    ],
)
def test_only_an_emulated_linux_is_given_time(
    guest: str, accelerator: Accelerator, unit_timeout: int | None
) -> None:
    assert unit_timeout_of(guest, accelerator) == unit_timeout
