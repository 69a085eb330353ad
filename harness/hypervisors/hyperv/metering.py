"""Hyper-V's resource metering of one machine."""

from __future__ import annotations

from harness.hypervisors.facets.metering import Usage
from harness.hypervisors.hyperv.host_machine import HostMachine


class HypervMetering:
    """See Metering."""

    def __init__(self, machine: HostMachine) -> None:
        self._machine = machine

    def start(self) -> None:
        """See Metering."""
        self._change("Enable", "starting the meter of")

    def usage(self) -> Usage | None:
        """See Metering."""
        usage = self._machine.do("Measure-Machine", "reading the usage of")["usage"]
        return None if usage is None else Usage(**usage)

    def reset(self) -> None:
        """See Metering."""
        self._change("Reset", "resetting the meter of")

    def stop(self) -> None:
        """See Metering."""
        self._change("Disable", "stopping the meter of")

    def _change(self, change: str, verb: str) -> None:
        self._machine.do("Switch-Metering", verb, Change=change)
