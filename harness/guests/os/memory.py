"""Memory."""

from __future__ import annotations

from typing import Protocol

from harness.errors import ChannelError
from harness.guests.answers import whole_number
from harness.guests.linux.shell import LinuxShell
from harness.guests.windows.powershell import WindowsShell


class Memory(Protocol):
    """Memory."""

    def available(self) -> int:
        """Bytes that programs can still allocate, by the kernel's own estimate."""

    def total(self) -> int:
        """Bytes of memory that the kernel manages."""


class LinuxMemory(LinuxShell):
    """See Memory."""

    def available(self) -> int:
        """Bytes that programs can still allocate, by the kernel's own estimate."""
        return self._memory("MemAvailable")

    def total(self) -> int:
        """Bytes of memory that the kernel manages."""
        return self._memory("MemTotal")

    def _memory(self, name: str) -> int:
        for line in self.read("/proc/meminfo").splitlines():
            key, _, value = line.partition(":")
            if key == name:
                return whole_number(value.removesuffix(" kB"), name) * 1024
        raise ChannelError(f"the guest's /proc/meminfo has no {name}")


class WindowsMemory(WindowsShell):
    """See Memory."""

    def available(self) -> int:
        """Bytes that programs can still allocate, including those that only caches hold."""
        system = self.instance("Win32_OperatingSystem", "FreePhysicalMemory")
        return system.number("FreePhysicalMemory") * 1024

    def total(self) -> int:
        """Bytes of memory that Windows manages."""
        system = self.instance("Win32_OperatingSystem", "TotalVisibleMemorySize")
        return system.number("TotalVisibleMemorySize") * 1024
