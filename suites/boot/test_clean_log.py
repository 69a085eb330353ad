"""boot.clean_log: a start without a kernel fault, an I/O error or a failed service."""

import re

from harness.guests.guest import Guest
from harness.oracles.control import control
from harness.oracles.log import CompleteLog
from harness.plugin.markers import feature, read_only


@feature("boot.clean_log")
@read_only
def test_the_kernel_reports_no_fault(guest: Guest) -> None:
    """The kernel log since boot holds no fault and no emergency, less the named exceptions."""
    assert CompleteLog.of(guest).faults() == []


@feature("boot.clean_log")
@read_only
def test_no_unit_has_failed(guest: Guest) -> None:
    """No service has failed since boot, less the named exceptions."""
    running = guest.os.services.running()
    with control():
        assert running, "no service is listed as running, so a failed one would not be either"

    known = [re.compile(exception.pattern) for exception in guest.profile.log_exceptions]
    failed = guest.os.services.failed()
    assert [unit for unit in failed if not any(each.search(unit) for each in known)] == []
