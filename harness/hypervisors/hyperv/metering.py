"""Hyper-V's resource metering of one machine."""

from __future__ import annotations

from harness.hypervisors.facets.metering import Usage
from harness.hypervisors.hyperv.remoting import ScriptRunner


class HypervMetering:
    """See Metering."""

    def __init__(self, run: ScriptRunner, machine: str) -> None:
        self._run = run
        self._machine = machine

    def start(self) -> None:
        """See Metering."""
        self._change("Enable", "starting the meter of")

    def usage(self) -> Usage | None:
        """See Metering."""
        doing = f"reading the usage of {self._machine}"
        usage = self._run("Measure-Machine", doing, Name=self._machine)["usage"]
        return None if usage is None else Usage(**usage)

    def reset(self) -> None:
        """See Metering."""
        self._change("Reset", "resetting the meter of")

    def stop(self) -> None:
        """See Metering."""
        self._change("Disable", "stopping the meter of")

    def _change(self, change: str, verb: str) -> None:
        doing = f"{verb} {self._machine}"
        self._run("Switch-Metering", doing, Name=self._machine, Change=change)
