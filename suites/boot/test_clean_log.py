"""boot.clean_log: a start without a kernel fault, an I/O error or a failed service."""

import re

from harness.guests.guest import Guest
from harness.plugin.markers import feature, read_only


@feature("boot.clean_log")
@read_only
def test_the_kernel_reports_no_fault(guest: Guest) -> None:
    """The kernel log since boot holds no fault and no emergency, less the named exceptions."""
    log, words = guest.os.kernel_log(), guest.os.words
    assert any(words.begins.search(line.text) for line in log), "the log does not reach to boot"

    bad = [line.text for line in log if line.level <= 2 or words.fault.search(line.text)]

    assert _unexpected(guest, bad) == []


@feature("boot.clean_log")
@read_only
def test_no_unit_has_failed(guest: Guest) -> None:
    """No service has failed since boot, less the named exceptions."""
    running = guest.os.running_units()
    assert running, "no service is listed as running, so the list of failed ones proves nothing"

    assert _unexpected(guest, guest.os.failed_units()) == []


def _unexpected(guest: Guest, lines: list[str]) -> list[str]:
    known = [re.compile(exception.pattern) for exception in guest.profile.log_exceptions]
    return [line for line in lines if not any(pattern.search(line) for pattern in known)]
