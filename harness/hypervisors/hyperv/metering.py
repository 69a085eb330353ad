"""Hyper-V's resource metering of one machine."""

from __future__ import annotations

from harness.hypervisors.hyperv.remoting import Runner
from harness.hypervisors.metering import Usage


class HypervMetering:
    """See Metering."""

    def __init__(self, run: Runner, machine: str) -> None:
        self._run = run
        self._machine = machine

    def start(self) -> None:
        """See Metering."""
        self._change("Enable", "metering")

    def usage(self) -> Usage | None:
        """See Metering."""
        doing = f"asking what {self._machine} uses"
        usage = self._run("Measure-Machine", doing, Name=self._machine)["usage"]
        return None if usage is None else Usage(**usage)

    def reset(self) -> None:
        """See Metering."""
        self._change("Reset", "resetting the meter of")

    def stop(self) -> None:
        """See Metering."""
        self._change("Disable", "metering no more")

    def _change(self, change: str, verb: str) -> None:
        doing = f"{verb} {self._machine}"
        self._run("Switch-Metering", doing, Name=self._machine, Change=change)
