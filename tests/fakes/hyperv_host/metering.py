"""Metering scripts: tests set a machine's figures."""

from __future__ import annotations

from typing import Any

from tests.fakes.hyperv_host.errors import thrown
from tests.fakes.hyperv_host.machines import find
from tests.fakes.hyperv_host.model import HostModel, MeterModel

P = dict[str, Any]


def switch_metering(host: HostModel, p: P) -> P:
    """Switch-Metering."""
    machine = find(host, "GetVM", p["Name"])
    if p["Change"] == "Disable":
        machine.meter = None
    elif p["Change"] == "Enable":
        machine.meter = machine.meter or MeterModel()
    elif machine.meter is None:
        raise thrown("resource metering is not enabled for the machine")
    else:
        machine.meter = MeterModel()
    return {}


def measure_machine(host: HostModel, p: P) -> P:
    """Measure-Machine: for a machine that is off, only its disks."""
    machine = find(host, "GetVM", p["Name"])
    meter = machine.meter
    if meter is None:
        return {"usage": None}
    memory = machine.startup_mib if machine.is_on else 0
    usage = {
        "seconds": meter.seconds,
        "processor_mhz": meter.processor_mhz,
        "memory_average": memory,
        "memory_minimum": memory,
        "memory_maximum": memory,
        "disk_allocated": meter.disk_allocated,
        "disk_read": 0,
        "disk_written": 0,
        "received": meter.received,
        "sent": meter.sent,
    }
    return {"usage": usage}
