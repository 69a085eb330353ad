"""boot.vcpus: every virtual processor comes online."""

import os

import pytest

from harness.guests.guest import Guest
from harness.plugin.markers import cost, feature

LARGEST = max(4, os.cpu_count() or 1)
"""The host's largest sensible count; at least four, which an idle guest tolerates."""


@feature("boot.vcpus")
@pytest.mark.parametrize("count", sorted({1, 2, LARGEST}))
@cost(85)
def test_all_processors_come_online(machine: Guest, count: int) -> None:
    """The guest brings as many processors online as its machine was given."""
    machine.redefine(vcpus=count)

    machine.boot()

    assert machine.os.cpus.present() == count
    assert machine.os.cpus.online() == count
    # An independent fact: each one runs a thread that is bound to it.
    for number in range(count):
        assert machine.os.cpus.runs_on(number) == number
