"""Which watchdog of a Linux guest is QEMU's, by what its kernel lists: the script itself is run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import MagicMock, Mock

import pytest

from harness.channels.base import CommandResult
from harness.errors import ChannelError, GuestFailure, NotApplicable
from harness.events import EventKind, EventLog
from harness.guests.linux.system import LinuxOs
from harness.oracles.reboot import expect_reboot
from harness.waiting import Deadline, JumpingClock
from suites.boot import test_interrupted

CHIPSETS = ("iTCO_wdt", "30")
QEMUS = ("i6300ESB timer", "10")


def guest_with(folder: Path, listed: Sequence[tuple[str, str]], modprobe: str) -> LinuxOs:
    """A guest whose kernel lists these watchdogs, by identity and seconds."""
    for number, (identity, seconds) in enumerate(listed):
        place = folder / "watchdog" / f"watchdog{number}"
        place.mkdir(parents=True)
        (place / "identity").write_text(identity + "\n", encoding="ascii")
        (place / "timeout").write_text(seconds + "\n", encoding="ascii")
    (folder / "modprobe").symlink_to(modprobe)
    path = f"{folder}:{os.environ['PATH']}"

    def run(arguments: Sequence[str], *, stdin: bytes = b"", seconds: float = 30) -> CommandResult:
        own = [part.replace("/sys/class/watchdog", f"{folder}/watchdog") for part in arguments]
        ended = subprocess.run(
            own, capture_output=True, timeout=seconds, check=False, env={"PATH": path}
        )
        return CommandResult(tuple(own), ended.returncode, ended.stdout, ended.stderr)

    return LinuxOs(run)


@pytest.mark.parametrize(
    ("listed", "device"),
    [
        ([QEMUS], "/dev/watchdog0"),
        ([CHIPSETS, QEMUS], "/dev/watchdog1"),
        ([QEMUS, CHIPSETS], "/dev/watchdog0"),
        ([CHIPSETS], ""),
        ([("i6300ESB timer", "30")], ""),  # it did not take the time that it was given
    ],
)
def test_the_watchdog_is_told_from_the_chipsets(
    tmp_path: Path, listed: list[tuple[str, str]], device: str
) -> None:
    assert guest_with(tmp_path, listed, "/bin/true").load_watchdog(heartbeat=10) == device


def test_a_driver_that_the_kernel_came_without_was_not_promised(tmp_path: Path) -> None:
    with pytest.raises(NotApplicable, match="no driver i6300esb"):
        guest_with(tmp_path, [QEMUS], "/bin/false").load_watchdog(heartbeat=10)


@pytest.mark.parametrize(("fired", "error"), [(True, GuestFailure), (False, ChannelError)])
def test_a_guest_that_goes_while_its_watchdog_is_petted_has_failed_where_that_fired(
    fired: bool, error: type[Exception]
) -> None:
    events = EventLog()
    guest = Mock()
    guest.machine.events = events
    since = events.mark()
    with pytest.raises(error), test_interrupted._failing_where_fired(guest, since):
        if fired:
            events.add(EventKind.WATCHDOG)
        raise ChannelError("no answer")


def test_a_reboot_is_proved_by_a_boot_id_that_was_known_before() -> None:
    clock = JumpingClock()
    guest = MagicMock(budget=lambda seconds: Deadline(seconds, clock))
    guest.profile.budgets.ready_seconds = 60
    guest.serves.return_value = True
    guest.os.lifecycle.boot_id.side_effect = ["the old", "the new"]
    expect_reboot(guest, lambda: None, before="the old")
    assert guest.os.lifecycle.boot_id.call_count == 2, "it was asked before it had to be"
