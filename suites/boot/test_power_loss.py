"""boot.power_loss: synced data survives a power cut."""

from harness.guests.guest import Guest
from harness.guests.log_rules import FaultKind, Mark
from harness.oracles.control import control
from harness.oracles.log import CompleteLog
from harness.plugin.markers import cost, feature
from harness.plugin.worker import Metrics
from harness.waiting import NotYet
from harness.workloads.recorder import start_recording

ENOUGH = 30
"""Records that are acknowledged before the cut."""


@feature("boot.power_loss")
@cost(75)
def test_every_acknowledged_write_survives_a_power_cut(guest: Guest, metric: Metrics) -> None:
    """After a power cut amid synced writes, each one that was acknowledged is on the disk."""
    recorder = start_recording(guest)

    def enough() -> None:
        seen = recorder.acknowledged()
        if seen < ENOUGH:
            raise NotYet(f"{seen} acknowledged")

    with control():  # data that was never written cannot be lost
        guest.wait_for(enough, f"{ENOUGH} acknowledged writes", seconds=20)

    guest.machine.power_off()

    guest.console.close()  # its reader has then written the last output
    acknowledged = recorder.acknowledged()
    metric("acknowledged writes", acknowledged, "")
    guest.boot()
    expected = list(range(1, acknowledged + 1))
    assert recorder.records()[:acknowledged] == expected, "an acknowledged write is lost"
    log = CompleteLog.of(guest, back_to=Mark.MOUNTED)
    assert log.found(FaultKind.DAMAGE) == []
    assert guest.os.files.root_is_writable()
