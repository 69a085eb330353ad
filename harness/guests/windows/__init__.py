"""The guest OS interface for Windows, through PowerShell and CIM.

Windows 7 and Server 2008 R2 with their PowerShell 2.0 are the oldest supported; an operation that
needs a newer Windows raises NotApplicable there, and names what is missing.
"""

from __future__ import annotations

from harness.guests.windows.background import WindowsBackground
from harness.guests.windows.cpu_memory import WindowsCpuMemory
from harness.guests.windows.firmware import WindowsFirmware
from harness.guests.windows.lifecycle import WindowsLifecycle
from harness.guests.windows.network import WindowsNetwork
from harness.guests.windows.programs import WindowsPrograms
from harness.guests.windows.release import WindowsRelease
from harness.guests.windows.storage import WindowsStorage


class WindowsOs(
    WindowsLifecycle,  # with the log on which it builds
    WindowsRelease,
    WindowsCpuMemory,
    WindowsNetwork,  # with the devices
    WindowsFirmware,
    WindowsStorage,
    WindowsBackground,
    WindowsPrograms,
):
    """A Windows guest. See GuestOs; each method queries the guest again, nothing is cached."""
