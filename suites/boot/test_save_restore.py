"""boot.save_restore: a restored guest continues where it was saved."""

import contextlib
import time

from harness.errors import ChannelError
from harness.hypervisors.base import MachineState
from harness.hypervisors.capabilities import NETWORK
from harness.hypervisors.facets.agent import AGENT
from harness.hypervisors.facets.snapshots import SAVED_STATES
from harness.plugin.fixtures import Neighbours
from harness.plugin.markers import cost, feature, requires
from harness.plugin.worker import Metrics
from harness.waiting import Deadline
from harness.workloads.counter import open_echo_connection

AWAY_SECONDS = 5.0

CLOCK_LIMIT = 2.0
"""Seconds by which the guest's clock may differ from the host's once it was set."""


@feature("boot.save_restore")
@requires(SAVED_STATES, NETWORK, AGENT)
@cost(90)
def test_goes_on_after_save_and_restore(neighbours: Neighbours, metric: Metrics) -> None:
    """Saved and restored, the guest has its boot, its processes, its connections, its time."""
    guest, other = neighbours.first, neighbours.second
    boot_id = guest.os.lifecycle.boot_id()
    count = open_echo_connection(guest, other)
    up = guest.os.lifecycle.uptime()
    away = Deadline(AWAY_SECONDS)
    state = guest.folder / "saved.state"

    guest.machine.facet(SAVED_STATES).save(state)
    assert guest.machine.state() is MachineState.OFF
    other.let_pass(AWAY_SECONDS)
    guest.restore(state)
    state.unlink()

    missed = away.elapsed - (guest.os.lifecycle.uptime() - up)
    assert missed >= AWAY_SECONDS - 1, f"it missed {missed:.1f} s only: it was not away"
    assert guest.os.lifecycle.boot_id() == boot_id
    count.await_beyond(count.value() + 1)
    metric("missed", missed, "s")
    # The host corrects the clock through the service for it. The agent sets the system's clock
    # first, then the hardware's by a program that a guest may lack: so its error does not count.
    with contextlib.suppress(ChannelError):
        seconds = guest.budget(10).seconds
        guest.agent.call("guest-set-time", {"time": time.time_ns()}, timeout=seconds)
    before = time.time()
    clock = guest.os.lifecycle.clock()
    assert before - CLOCK_LIMIT <= clock <= time.time() + CLOCK_LIMIT
