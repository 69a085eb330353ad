"""The oracles over a guest's log, and the footprint of a read-only case."""

from __future__ import annotations

from typing import cast
from unittest.mock import Mock

import pytest

from harness.errors import ControlFailedError, NotApplicable
from harness.guests.guest import Guest
from harness.guests.log_records import LogLine
from harness.guests.log_rules import ERROR, FaultKind, LogRules, Mark
from harness.oracles.footprint import Footprint
from harness.oracles.log import CompleteLog, faults
from harness.profiles.model import System

BOOT = LogLine(5, "[    0.000000] Linux version 6.1.0-9-amd64 (gcc-12)")
OOPS = LogLine(1, "[   12.000000] BUG: unable to handle page fault for address: 0")
SEVERE = LogLine(3, "[   13.000000] a driver: it failed")
KILLED = LogLine(3, "[   14.000000] Out of memory: Killed process 99 (stress)")


def guest_with(*lines: LogLine, failed: tuple[str, ...] = (), boot_id: str = "first") -> Guest:
    """A Linux guest with this log."""
    guest = Mock()
    guest.os.log.rules = LogRules.of(System.LINUX)
    guest.os.log.lines.return_value = list(lines)
    guest.os.services.failed.return_value = list(failed)
    guest.os.lifecycle.boot_id.return_value = boot_id
    return cast(Guest, guest)


def test_a_log_proves_an_absence_only_where_it_reaches_back() -> None:
    with pytest.raises(ControlFailedError, match="the log does not show: boot"):
        CompleteLog.of(guest_with(SEVERE))
    assert CompleteLog.of(guest_with(BOOT, SEVERE)).faults() == []
    with pytest.raises(ControlFailedError, match="the log does not show: mounted"):
        CompleteLog.of(guest_with(BOOT), back_to=Mark.MOUNTED)


def test_faults_are_found_by_kind_and_by_level() -> None:
    log = CompleteLog.of(guest_with(BOOT, OOPS, KILLED))
    assert OOPS.text in log.faults()
    assert log.found(FaultKind.KILLED) == [KILLED.text]
    guest = guest_with(BOOT, SEVERE)
    assert faults(guest) == []
    assert faults(guest, level=ERROR) == [SEVERE.text]


def test_a_footprint_differs_by_boot_by_errors_and_by_failed_services() -> None:
    before = Footprint.of(guest_with(BOOT))
    assert before == Footprint.of(guest_with(BOOT))
    for changed in (
        guest_with(BOOT, boot_id="second"),
        guest_with(BOOT, SEVERE),
        guest_with(BOOT, failed=("a.service",)),
    ):
        assert Footprint.of(changed) != before


def test_a_footprint_of_a_guest_that_lists_no_units_has_none() -> None:
    guest = guest_with(BOOT)
    guest.os.services.failed.side_effect = NotApplicable("no systemd")  # type: ignore[attr-defined]
    assert Footprint.of(guest).failed_units == ()
