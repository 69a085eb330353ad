"""Processor state through QEMU's human monitor."""

from __future__ import annotations

import re

import libvirt_qemu

from harness.hypervisors.libvirt.domain import Domain
from harness.hypervisors.libvirt.errors import wrap_errors

MONITOR_COMMANDS = (
    "info status",
    "info cpus",
    "info registers -a",
    "x /16i $pc",
    "info registers -a",
)
"""Commands of QEMU's human monitor. Two register samples distinguish a loop from a halt."""

VECTOR_REGISTER = re.compile(r"\s*((FPR|[XYZ]MM|Opmask|[DQSVZ])\d+|ZA)?(=|\[[0-9a-f-]+\]=)", re.I)
"""Start of a vector register's line in `info registers`, on x86 and Arm (continuations too)."""


class LibvirtProcessors:
    """See Processors."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def state(self) -> str:
        """See Processors."""
        with wrap_errors(f"inspecting the processors of {self._domain.name}"):
            lines = "\n".join(map(self._monitor, MONITOR_COMMANDS)).splitlines()
        return "\n".join(line for line in lines if not VECTOR_REGISTER.match(line))

    def _monitor(self, command: str) -> str:
        """The command and the monitor's answer."""
        human = libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP
        answer: str = libvirt_qemu.qemuMonitorCommand(self._domain.handle, command, human)
        return f"{command}\n{answer}"
