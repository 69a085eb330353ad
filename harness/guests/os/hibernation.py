"""Preparation of hibernation."""

from __future__ import annotations

from typing import Protocol

from harness.errors import ChannelError, NotApplicable
from harness.guests.linux.shell import LinuxShell
from harness.guests.os.disks import LinuxDisks
from harness.guests.os.firmware import LinuxFirmware
from harness.guests.runner import Runner
from harness.guests.windows.powershell import WindowsShell

POWER = r"HKLM:\SYSTEM\CurrentControlSet\Control\Power"


class Hibernation(Protocol):
    """Preparation of hibernation."""

    def prepare(self, serial: str) -> None:
        """Prepare hibernation to the blank disk with that serial, effective after the next boot."""

    def enable(self, serial: str) -> bool:
        """Finish the preparation after that boot; returns whether the system can resume from it."""


class LinuxHibernation(LinuxShell):
    """See Hibernation."""

    def __init__(self, run: Runner, firmware: LinuxFirmware, disks: LinuxDisks) -> None:
        super().__init__(run)
        self._firmware = firmware
        self._disks = disks

    def prepare(self, serial: str) -> None:
        """Make the disk with that serial swap space, from which the next kernel tries to resume.

        Raises NotApplicable for a kernel that does not hibernate, such as many for clouds.
        """
        if "disk" not in self.read("/sys/power/state").split():
            raise NotApplicable("the guest's kernel does not hibernate")
        device = self._device(serial)
        self._firmware.add_boot_argument(_resume(device))
        self.sh('mkswap "$1"', device)

    def enable(self, serial: str) -> bool:
        """Swap to that disk; returns whether the kernel was started to resume from it."""
        device = self._device(serial)
        if not self._firmware.has_boot_argument(_resume(device)):
            return False
        self.sh('swapon "$1"', device)
        return True

    def _device(self, serial: str) -> str:
        names = [disk.name for disk in self._disks.all() if disk.serial == serial]
        if len(names) != 1:
            raise ChannelError(f"the guest lists {len(names)} disks with serial number {serial}")
        return f"/dev/{names[0]}"


class WindowsHibernation(WindowsShell):
    """See Hibernation."""

    def prepare(self, serial: str) -> None:
        """Enable Windows' hibernation file: it hibernates to its own disk, and needs no other."""
        self.ask("hibernation")

    def enable(self, serial: str) -> bool:
        """Whether Windows has that file."""
        return self.ask("registry", POWER, "HibernateEnabled") == 1


def _resume(device: str) -> str:
    return f"resume={device}"
