"""boot.memory.minimum: the least memory that the guest must start with."""

from harness.guests.guest import Guest
from harness.guests.log_rules import FaultKind
from harness.oracles.log import CompleteLog
from harness.plugin.markers import cost, feature
from harness.plugin.worker import Metrics

RESERVE_MIB = 96
"""The memory that firmware and kernel may reserve on so small a machine."""


@feature("boot.memory.minimum")
@cost(70)
def test_boots_with_the_least_memory(machine: Guest, metric: Metrics) -> None:
    """With the least memory that its profile names the guest is ready, and nothing was killed."""
    minimum = machine.profile.hardware.memory_mib.minimum
    machine.redefine(memory_mib=minimum)

    machine.boot()
    machine.await_settled()

    counted = machine.os.memory.total() / 2**20
    metric("memory", counted, "MiB")
    assert minimum - RESERVE_MIB <= counted <= minimum
    assert CompleteLog.of(machine).found(FaultKind.KILLED) == []
