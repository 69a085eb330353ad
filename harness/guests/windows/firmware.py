"""A Windows guest's firmware, its variables, and the TPM."""

from __future__ import annotations

import base64
import re

from harness.errors import ChannelError
from harness.guests.answers import flag, text
from harness.guests.os import require_kernel_argument
from harness.guests.windows.powershell import WindowsShell

OPTIONS = r"HKLM:\SYSTEM\CurrentControlSet\Control"


class WindowsFirmware(WindowsShell):
    """See harness.guests.os.Firmware."""

    def is_uefi(self) -> bool:
        """Whether Windows was started through UEFI."""
        return flag(self.ask("firmware", "kind"), "firmware's kind")

    def knows_firmware(self) -> bool:
        """Whether CIM reports the firmware's version, as on every machine."""
        return self.instance("Win32_BIOS", "SMBIOSBIOSVersion").text("SMBIOSBIOSVersion") != ""

    def uefi_variable(self, name: str, vendor: str) -> bytes:
        """A UEFI variable's data; empty where the variable does not exist."""
        answer = self.ask("firmware", "read", name, f"{{{vendor}}}")
        return _decoded(answer, f"UEFI variable {name}")

    def set_uefi_variable(self, name: str, vendor: str, data: bytes) -> None:
        """Create a variable: non-volatile, for boot services and the running system.

        Needs Windows 8 or Server 2012.
        """
        self.ask("firmware", "write", name, f"{{{vendor}}}", base64.b64encode(data).decode())

    def secure_boot(self) -> bool:
        """Whether Windows reports that Secure Boot is on. Needs Windows 8 or Server 2012."""
        return flag(self.ask("secure_boot"), "state of Secure Boot")

    def tpm_version(self) -> int:
        """The TPM's major version; 0 without a TPM."""
        chips = self.instances(
            "Win32_Tpm", "SpecVersion", namespace=r"root\cimv2\Security\MicrosoftTpm"
        )
        if not chips:
            return 0
        version = re.match(r"\d", chips[0].text("SpecVersion"))  # `2.0, 0, 1.38`
        if version is None:
            raise ChannelError("the guest's TPM reports no version")
        return int(version.group())

    def tpm_exchange(self, command: bytes) -> bytes:
        """The chip's response to a raw command, through TPM Base Services.

        Needs Windows 8 or Server 2012; commands that Windows blocks are refused with an error.
        """
        answer = self.ask("tpm", base64.b64encode(command).decode())
        return _decoded(answer, "answer from its TPM")

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


def _decoded(answer: object, what: str) -> bytes:
    try:
        return base64.b64decode(text(answer, what), validate=True)
    except ValueError as error:
        raise ChannelError(f"the guest's {what} is not base64") from error
