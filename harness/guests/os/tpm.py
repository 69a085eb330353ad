"""The TPM, by raw commands."""

from __future__ import annotations

import base64
import re
from typing import Protocol

from harness.errors import ChannelError
from harness.guests.answers import base64_bytes, whole_number
from harness.guests.linux.shell import LinuxShell
from harness.guests.windows.powershell import WindowsShell

TPM = "/dev/tpm0"

TPM_VERSION = """[ -d "$1" ] || { echo 0; exit 0; }
[ ! -e "$1/tpm_version_major" ] || { cat "$1/tpm_version_major"; exit 0; }
if [ -e "$1/caps" ] || [ -e "$1/device/caps" ]; then echo 1; else echo 2; fi"""

EXCHANGE = (
    'exec 3<>"$1"; printf %s "$2" | base64 -d >&3; dd bs=4096 count=1 <&3 2>/dev/null | base64 -w0'
)


class Tpm(Protocol):
    """The TPM, by raw commands."""

    def version(self) -> int:
        """The TPM's major version; 0 without a TPM."""

    def exchange(self, command: bytes) -> bytes:
        """The chip's response to a raw command."""


class LinuxTpm(LinuxShell):
    """See Tpm."""

    def version(self) -> int:
        """The major version; 0 without a TPM. Before Linux 5.6 only a TPM 1.2 lists its `caps`."""
        return whole_number(self.sh(TPM_VERSION, "/sys/class/tpm/tpm0"), "TPM's version", most=9)

    def exchange(self, command: bytes) -> bytes:
        """The chip's response to a raw command, through the kernel's device."""
        sent = base64.b64encode(command).decode()
        return base64_bytes(self.sh(EXCHANGE, TPM, sent), "response from its TPM")


class WindowsTpm(WindowsShell):
    """See Tpm."""

    def version(self) -> int:
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

    def exchange(self, command: bytes) -> bytes:
        """The chip's response to a raw command, through TPM Base Services.

        Needs Windows 8 or Server 2012; commands that Windows blocks are refused with an error.
        """
        answer = self.ask("tpm", base64.b64encode(command).decode())
        return base64_bytes(answer, "response from its TPM")
