"""A Linux guest's firmware, its variables, and the TPM."""

from __future__ import annotations

import base64

from harness.errors import ChannelError
from harness.guests.answers import whole_number
from harness.guests.linux.log import LinuxLog
from harness.guests.os import require_kernel_argument

VARIABLES = "/sys/firmware/efi/efivars"

LASTING = b"\7\0\0\0"
"""Attributes of a UEFI variable: non-volatile, boot-service and runtime access."""

TPM = "/dev/tpm0"

TPM_VERSION = """[ -d "$1" ] || { echo 0; exit 0; }
[ ! -e "$1/tpm_version_major" ] || { cat "$1/tpm_version_major"; exit 0; }
if [ -e "$1/caps" ] || [ -e "$1/device/caps" ]; then echo 1; else echo 2; fi"""

EXCHANGE = (
    'exec 3<>"$1"; printf %s "$2" | base64 -d >&3; dd bs=4096 count=1 <&3 2>/dev/null | base64 -w0'
)

APPEND = r"""for f in /boot/grub/grub.cfg /boot/grub2/grub.cfg; do
[ ! -f "$f" ] || sed -i "s|^[[:space:]]*linux[a-z0-9]*[[:space:]].*|& $1|" "$f"; done
for f in /boot/loader/entries/*.conf; do
[ ! -f "$f" ] || sed -i "s|^options[[:space:]].*|& $1|" "$f"; done
sync"""
"""GRUB's own menu, and the entries of the Boot Loader Specification that GRUB reads elsewhere."""


class LinuxFirmware(LinuxLog):
    """See harness.guests.os.Firmware."""

    def is_uefi(self) -> bool:
        """Whether the kernel was started through UEFI."""
        return self.succeeds("test", "-d", "/sys/firmware/efi")

    def knows_firmware(self) -> bool:
        """Whether sysfs has the firmware's map of memory, as on every machine."""
        return self.succeeds("test", "-d", "/sys/firmware/memmap")

    def uefi_variable(self, name: str, vendor: str) -> bytes:
        """A UEFI variable's data, without its attributes; empty where it does not exist."""
        return self._run(["cat", f"{VARIABLES}/{name}-{vendor}"]).output[4:]

    def set_uefi_variable(self, name: str, vendor: str, data: bytes) -> None:
        """Create a variable: non-volatile, for boot services and the running system."""
        written = "".join(f"\\{byte:03o}" for byte in LASTING + data)
        self.sh('printf "$2" > "$1"', f"{VARIABLES}/{name}-{vendor}", written)

    def secure_boot(self) -> bool:
        """Whether the kernel's log reports that Secure Boot is on."""
        return any("Secure boot enabled" in line.text for line in self.kernel_log())

    def tpm_version(self) -> int:
        """The major version; 0 without a TPM. Before Linux 5.6 only a TPM 1.2 lists its `caps`."""
        return whole_number(self.sh(TPM_VERSION, "/sys/class/tpm/tpm0"), "TPM's version", most=9)

    def tpm_exchange(self, command: bytes) -> bytes:
        """The chip's response to a raw command, through the kernel's device."""
        sent = base64.b64encode(command).decode()
        try:
            return base64.b64decode(self.sh(EXCHANGE, TPM, sent), validate=True)
        except ValueError as error:
            raise ChannelError("the response of the guest's TPM is not base64") from error

    def add_boot_argument(self, argument: str) -> None:
        """Have the kernel started with one more argument from the next boot on.

        That boot's /proc/cmdline proves it: see `has_boot_argument`.
        """
        require_kernel_argument(argument)
        self.sh(APPEND, argument)

    def has_boot_argument(self, argument: str) -> bool:
        """Whether the running kernel has it on its command line."""
        return argument in self.read("/proc/cmdline").split()
