"""Firmware, its variables, and the kernel's command line."""

from __future__ import annotations

import base64
import re
from typing import Protocol

from harness.errors import HarnessError
from harness.guests.answers import base64_bytes, flag, text
from harness.guests.linux.shell import LinuxShell
from harness.guests.os.log import LinuxLog
from harness.guests.runner import Runner
from harness.guests.windows.powershell import WindowsShell

VARIABLES = "/sys/firmware/efi/efivars"

LASTING = b"\7\0\0\0"
"""Attributes of a UEFI variable: non-volatile, boot-service and runtime access."""

APPEND = r"""for f in /boot/grub/grub.cfg /boot/grub2/grub.cfg; do
[ ! -f "$f" ] || sed -i "s|^[[:space:]]*linux[a-z0-9]*[[:space:]].*|& $1|" "$f"; done
for f in /boot/loader/entries/*.conf; do
[ ! -f "$f" ] || sed -i "s|^options[[:space:]].*|& $1|" "$f"; done
sync"""
"""GRUB's own menu, and the entries of the Boot Loader Specification that GRUB reads elsewhere."""

OPTIONS = r"HKLM:\SYSTEM\CurrentControlSet\Control"


KERNEL_ARGUMENT = re.compile(r"[A-Za-z0-9_.,:=/@-]+")


class Firmware(Protocol):
    """Firmware, its variables, and the kernel's command line."""

    def is_uefi(self) -> bool:
        """Whether the kernel was started through UEFI."""

    def is_reported(self) -> bool:
        """Whether the system reports anything about its firmware: the control for `is_uefi`."""

    def variable(self, name: str, vendor: str) -> bytes:
        """A UEFI variable's data, without its attributes; empty where it does not exist."""

    def set_variable(self, name: str, vendor: str, data: bytes) -> None:
        """Create a variable: non-volatile, for boot services and the running system."""

    def secure_boot(self) -> bool:
        """Whether the kernel itself reports that Secure Boot is on."""

    def add_boot_argument(self, argument: str) -> None:
        """Add an argument to the kernel's command line from the next boot on."""

    def has_boot_argument(self, argument: str) -> bool:
        """Whether the running kernel has it on its command line."""


class LinuxFirmware(LinuxShell):
    """See Firmware."""

    def __init__(self, run: Runner, log: LinuxLog) -> None:
        super().__init__(run)
        self._log = log

    def is_uefi(self) -> bool:
        """Whether the kernel was started through UEFI."""
        return self.succeeds("test", "-d", "/sys/firmware/efi")

    def is_reported(self) -> bool:
        """Whether sysfs has the firmware's map of memory, as on every machine."""
        return self.succeeds("test", "-d", "/sys/firmware/memmap")

    def variable(self, name: str, vendor: str) -> bytes:
        """A UEFI variable's data, without its attributes; empty where it does not exist."""
        return self._run(["cat", f"{VARIABLES}/{name}-{vendor}"]).output[4:]

    def set_variable(self, name: str, vendor: str, data: bytes) -> None:
        """Create a variable: non-volatile, for boot services and the running system."""
        written = "".join(f"\\{byte:03o}" for byte in LASTING + data)
        self.sh('printf "$2" > "$1"', f"{VARIABLES}/{name}-{vendor}", written)

    def secure_boot(self) -> bool:
        """Whether the kernel's log reports that Secure Boot is on."""
        return any("Secure boot enabled" in line.text for line in self._log.lines())

    def add_boot_argument(self, argument: str) -> None:
        """Add an argument to the kernel's command line from the next boot on.

        That boot's /proc/cmdline proves it: see `has_boot_argument`.
        """
        require_kernel_argument(argument)
        self.sh(APPEND, argument)

    def has_boot_argument(self, argument: str) -> bool:
        """Whether the running kernel has it on its command line."""
        return argument in self.read("/proc/cmdline").split()


class WindowsFirmware(WindowsShell):
    """See Firmware."""

    def is_uefi(self) -> bool:
        """Whether Windows was started through UEFI."""
        return flag(self.ask("firmware", "kind"), "firmware's kind")

    def is_reported(self) -> bool:
        """Whether CIM reports the firmware's version, as on every machine."""
        return self.instance("Win32_BIOS", "SMBIOSBIOSVersion").text("SMBIOSBIOSVersion") != ""

    def variable(self, name: str, vendor: str) -> bytes:
        """A UEFI variable's data; empty where the variable does not exist."""
        answer = self.ask("firmware", "read", name, f"{{{vendor}}}")
        return base64_bytes(answer, f"UEFI variable {name}")

    def set_variable(self, name: str, vendor: str, data: bytes) -> None:
        """Create a variable: non-volatile, for boot services and the running system.

        Needs Windows 8 or Server 2012.
        """
        self.ask("firmware", "write", name, f"{{{vendor}}}", base64.b64encode(data).decode())

    def secure_boot(self) -> bool:
        """Whether Windows reports that Secure Boot is on. Needs Windows 8 or Server 2012."""
        return flag(self.ask("secure_boot"), "state of Secure Boot")

    def add_boot_argument(self, argument: str) -> None:
        """Set an argument on the kernel's command line from the next boot on.

        It replaces the one before: Windows' loader keeps one string of them.
        """
        require_kernel_argument(argument)
        self.ask("boot_argument", argument)

    def has_boot_argument(self, argument: str) -> bool:
        """Whether the kernel has it on its command line; Windows may write it in capitals."""
        answer = self.ask("registry", OPTIONS, "SystemStartOptions")
        return argument.upper() in text(answer, "start options").upper().split()


def require_kernel_argument(argument: str) -> None:
    """Raise HarnessError for an argument that a boot loader would not pass on unchanged."""
    if not KERNEL_ARGUMENT.fullmatch(argument):
        raise HarnessError(f"{argument!r} is not a plain kernel argument")
