"""boot.stays_up: a guest that is left alone stays healthy."""

import time

from harness.guests.guest import Guest
from harness.guests.log_rules import ERROR
from harness.oracles.control import control
from harness.oracles.log import faults
from harness.plugin.markers import cost, feature
from harness.plugin.worker import Metrics

ALONE_SECONDS = 180.0

LEAK = 0.05
"""The share of memory that may be used up in this time without being a leak: caches fill."""

CLOCK_LIMIT = 1.0
"""Seconds by which the guest's clock may drift in this time; reading it takes some."""

READINGS = 5


@feature("boot.stays_up")
@cost(300)
def test_nothing_is_lost_while_it_is_left_alone(machine: Guest, metric: Metrics) -> None:
    """After a cold boot and minutes of quiet: no fault, no loss, no leak, an accurate clock."""
    machine.boot()
    machine.await_settled()
    boot_id = machine.os.lifecycle.boot_id()
    services = machine.os.services.running()
    with control():
        assert services, "no service is listed as running, so a lost one would not show"
    available = machine.os.memory.available()
    before = faults(machine, level=ERROR)
    ahead = _ahead(machine)

    machine.let_pass(ALONE_SECONDS)

    assert machine.os.lifecycle.boot_id() == boot_id
    assert services - machine.os.services.running() == set(), "services were lost"
    assert faults(machine, level=ERROR) == before
    assert machine.os.files.root_is_writable()
    drift = _ahead(machine) - ahead
    metric("clock drift", drift, "s")
    assert abs(drift) <= CLOCK_LIMIT
    taken = available - machine.os.memory.available()
    metric("memory taken", taken / 2**20, "MiB")
    assert taken <= LEAK * machine.os.memory.total()


def _ahead(machine: Guest) -> float:
    """Seconds by which the guest's clock is ahead of the host's, by the quickest reading."""
    _, ahead = min(_reading(machine) for _ in range(READINGS))
    return ahead


def _reading(machine: Guest) -> tuple[float, float]:
    """Seconds that a reading took, and by which it is ahead of the middle of that time."""
    before = time.time()
    clock = machine.os.lifecycle.clock()
    after = time.time()
    return after - before, clock - (before + after) / 2
