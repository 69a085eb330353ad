"""The guest OS interface for Linux, read from the kernel's own files where possible."""

from __future__ import annotations

from harness.guests.linux.background import LinuxBackground
from harness.guests.linux.cpu_memory import LinuxCpuMemory
from harness.guests.linux.lifecycle import LinuxLifecycle
from harness.guests.linux.network import LinuxNetwork
from harness.guests.linux.only import LinuxOnly
from harness.guests.linux.programs import LinuxPrograms
from harness.guests.linux.registers import LinuxRegisters
from harness.guests.linux.release import LinuxRelease
from harness.guests.linux.storage import LinuxStorage


class LinuxOs(
    LinuxStorage,  # with the devices, the firmware and the log on which it builds
    LinuxNetwork,
    LinuxLifecycle,
    LinuxRelease,
    LinuxCpuMemory,
    LinuxBackground,
    LinuxPrograms,
    LinuxRegisters,
    LinuxOnly,
):
    """A Linux guest. See GuestOs; each method queries the guest again, nothing is cached."""
