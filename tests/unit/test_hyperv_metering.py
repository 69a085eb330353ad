"""What a machine uses, on a scripted Hyper-V host."""

from __future__ import annotations

import pytest

from harness.hypervisors.facets.metering import METERING, Usage
from harness.hypervisors.hyperv.connection import HypervHypervisor
from harness.hypervisors.hyperv.errors import HostRefusalError
from harness.hypervisors.hyperv.machine import HypervMachine
from tests.fakes.hyperv_host.model import HostModel, MeterModel
from tests.machines import a_machine


@pytest.fixture
def machine(hypervisor: HypervHypervisor) -> HypervMachine:
    return hypervisor.define(a_machine())


def test_every_figure_arrives_as_the_host_tells_it(machine: HypervMachine, host: HostModel) -> None:
    meter = machine.facet(METERING)
    machine.start()
    meter.start()
    host.machines[machine.name].meter = MeterModel(
        seconds=90.5, processor_mhz=700, disk_allocated=3 * 2**32, received=5, sent=7
    )
    assert meter.usage() == Usage(
        seconds=90.5,
        processor_mhz=700,
        memory_average=64,
        memory_minimum=64,
        memory_maximum=64,
        disk_allocated=3 * 2**32,
        disk_read=0,
        disk_written=0,
        received=5,
        sent=7,
    )


def test_what_is_not_gathered_yet_is_told_from_nothing(
    machine: HypervMachine, host: HostModel
) -> None:
    machine.facet(METERING).start()
    host.machines[machine.name].meter = MeterModel(processor_mhz=None)
    usage = machine.facet(METERING).usage()
    assert usage is not None
    assert (usage.seconds, usage.processor_mhz, usage.memory_average) == (None, None, 0)


def test_starting_again_keeps_the_figures_and_a_reset_forgets_them(
    machine: HypervMachine, host: HostModel
) -> None:
    machine.facet(METERING).start()
    host.machines[machine.name].meter = MeterModel(received=5)
    machine.facet(METERING).start()
    assert getattr(machine.facet(METERING).usage(), "received", None) == 5
    machine.facet(METERING).reset()
    assert getattr(machine.facet(METERING).usage(), "received", None) == 0


def test_nothing_is_told_or_reset_where_nothing_is_metered(machine: HypervMachine) -> None:
    assert machine.facet(METERING).usage() is None
    with pytest.raises(HostRefusalError, match="metering is not enabled"):
        machine.facet(METERING).reset()
    machine.facet(METERING).start()
    machine.facet(METERING).stop()
    assert machine.facet(METERING).usage() is None
