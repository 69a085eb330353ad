"""boot.power_loss: synced data survives a power cut."""

import re

from harness.guests.guest import Guest
from harness.guests.log_rules import FaultKind, Mark
from harness.oracles.control import control
from harness.plugin.markers import cost, feature
from harness.plugin.worker import Metrics
from harness.waiting import NotYet, wait_until

ENOUGH = 30
"""Records that are acknowledged before the cut."""


@feature("boot.power_loss")
@cost(75)
def test_every_acknowledged_write_survives_a_power_cut(guest: Guest, metric: Metrics) -> None:
    """After a power cut amid synced writes, each one that was acknowledged is on the disk."""
    position = guest.console.position
    guest.os.start_recording()
    with control():  # data that was never written cannot be lost
        wait_until(
            lambda: _kept_at_least(guest, position, ENOUGH),
            awaited=f"{ENOUGH} acknowledged writes",
            deadline=guest.budget(20),
            watches=[guest.crash_watch],
            evidence=guest.console_log,
        )

    guest.machine.power_off()

    guest.console.close()  # its reader has then written the last output
    acknowledged = _kept(guest, position)
    metric("acknowledged writes", acknowledged, "")
    guest.boot()
    lines = guest.os.records()
    expected = [f"record {number}" for number in range(1, acknowledged + 1)]
    assert lines[:acknowledged] == expected, "an acknowledged write is lost"
    log, rules = guest.os.kernel_log(), guest.os.log_rules
    with control():
        assert rules.shows(Mark.MOUNTED, log), "the log does not show the mount"
    assert rules.found(FaultKind.DAMAGE, log) == []
    assert guest.os.root_is_writable()


def _kept(guest: Guest, position: int) -> int:
    """The number of the last write that the guest acknowledged."""
    numbers = re.findall(rb"kept (\d{1,9})\.", guest.console.since(position))
    return int(numbers[-1]) if numbers else 0


def _kept_at_least(guest: Guest, position: int, wanted: int) -> None:
    seen = _kept(guest, position)
    if seen < wanted:
        raise NotYet(f"{seen} acknowledged")
