"""boot.ready: from power-off to an answering guest."""

from harness.guests.guest import Answer, Guest
from harness.hypervisors.base import MachineState
from harness.plugin.markers import cost, every_variant, feature
from harness.plugin.worker import Metrics
from harness.waiting import Deadline


@feature("boot.ready")
@every_variant
@cost(90)
def test_boots_to_ready_within_its_budget(machine: Guest, metric: Metrics) -> None:
    """From power-off, the guest answers within its profile's budget."""
    assert machine.machine.state() is MachineState.OFF, "the machine was not off before"
    on_the_host = Deadline(machine.profile.budgets.ready_seconds)

    channel = machine.boot()

    metric("boot to ready", on_the_host.elapsed, "s")
    up = machine.os.lifecycle.uptime()
    assert channel in Answer
    assert machine.machine.state() is MachineState.RUNNING
    assert up <= on_the_host.elapsed + 1, "the guest was up before it was started"
    metric("firmware and loader", on_the_host.elapsed - up, "s")
    machine.await_settled()
    kernel, services = machine.os.lifecycle.startup()
    metric("kernel", kernel, "s")
    metric("services", services, "s")
