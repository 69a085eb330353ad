"""The wait for a guest's chip, whose driver may be a module that is loaded after it answers."""

from __future__ import annotations

from types import MethodType
from unittest.mock import Mock

import pytest

from harness.errors import GuestCrashed, GuestTimeout
from harness.guests.guest import Guest
from harness.oracles.tpm import FOUND_WITHIN, Tpm
from harness.time_accounting import TimeLedger
from harness.waiting import Deadline, JumpingClock


def guest_with(*versions: int) -> Mock:
    """A guest that reports these versions, and the last of them from then on."""
    left = list(versions)

    def version() -> int:
        return left.pop(0) if len(left) > 1 else left[0]

    clock = JumpingClock()
    guest = Mock(crash_watch=Mock(), budget=lambda seconds: Deadline(seconds, clock))
    guest.ledger = TimeLedger(clock)
    guest.os.tpm.version = Mock(side_effect=version)
    guest.crash_expected, guest.wait_for = False, MethodType(Guest.wait_for, guest)
    return guest


def test_a_chip_that_is_found_late_is_waited_for() -> None:
    guest = guest_with(0, 0, 2)
    Tpm(guest).await_chip()
    assert guest.os.tpm.version.call_count == 3


@pytest.mark.parametrize(("version", "seen"), [(0, "no TPM"), (1, "version 1")])
def test_a_guest_that_finds_none_or_an_old_one_has_failed(version: int, seen: str) -> None:
    with pytest.raises(GuestTimeout, match=f"waited {FOUND_WITHIN} s .*, last saw {seen}"):
        Tpm(guest_with(version)).await_chip()


def test_a_guest_that_crashes_meanwhile_is_not_waited_for() -> None:
    guest = guest_with(0)
    guest.crash_watch.side_effect = GuestCrashed("the guest crashed")
    with pytest.raises(GuestCrashed):
        Tpm(guest).await_chip()
