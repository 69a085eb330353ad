"""A Linux guest's processor, asked by its own instructions, and the channels of its VMBus."""

from __future__ import annotations

import base64
import re

from harness.channels.base import CommandResult
from harness.errors import ChannelError, HarnessError, NotApplicable
from harness.guests.cpuid import Leaf
from harness.guests.linux.shell import LinuxShell

DEVICES = "/dev/cpu/0"

OPEN = '[ -e "$1" ] || modprobe "$2"'

READ = 'LC_ALL=C dd if="$1" bs="$2" count=1 iflag=skip_bytes skip="$3" status=none | base64 -w0'
"""A record of the device is an instruction's answer, its place the number that is asked for."""

WRITE = (
    'printf %s "$2" | base64 -d |'
    ' LC_ALL=C dd of="$1" bs=8 count=1 oflag=seek_bytes seek="$3" conv=notrunc status=none'
)

REFUSED = re.compile("Input/output error|I/O error")
"""What the kernel says where the processor raised a fault at the instruction."""

FORBIDDEN = "Operation not permitted"

VMBUS = 'for d in /sys/bus/vmbus/devices/*; do [ ! -e "$d/class_id" ] || cat "$d/class_id"; done; :'

CLASS = re.compile(r"\{([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}")


class LinuxRegisters(LinuxShell):
    """CPUID and model-specific registers of the first processor, through the kernel's devices.

    Every method raises HarnessError where the kernel has no such device.
    Source: Linux, arch/x86/kernel/cpuid.c and msr.c.
    """

    def cpuid(self, leaf: int, subleaf: int = 0) -> Leaf:
        """What CPUID answers; raises ChannelError for an answer of another size."""
        said = self._record("cpuid", 16, subleaf << 32 | leaf)
        if said is None:
            raise ChannelError(f"the guest's processor refuses to answer CPUID leaf {leaf:#x}")
        return Leaf.of(said)

    def read_msr(self, number: int) -> int | None:
        """A register's 64 bits; None where the processor refuses to read it."""
        said = self._record("msr", 8, number)
        if said is None:
            return None
        if len(said) != 8:
            raise ChannelError(f"the guest's register {number:#x} has {len(said)} bytes, not 8")
        return int.from_bytes(said, "little")

    def write_msr(self, number: int, value: int) -> bool:
        """Write a register's 64 bits; whether the processor took them.

        Raises NotApplicable where the kernel's lockdown lets nobody try (it does with Secure Boot).
        """
        device = self._opened("msr")
        data = base64.b64encode(value.to_bytes(8, "little")).decode()
        result = self._run(["sh", "-c", WRITE, "sh", device, data, str(number)])
        said = _all_of(result)
        if result.exit_status == 0:
            return True
        if REFUSED.search(said):
            return False
        if FORBIDDEN in said:
            raise NotApplicable("the guest's kernel lets nobody write the processor's registers")
        raise ChannelError(f"writing the guest's register {number:#x} failed: {said[-300:]!r}")

    def vmbus_classes(self) -> list[str]:
        """The ids of the classes of all channels on Hyper-V's bus, sorted, with repetitions."""
        return sorted(CLASS.findall(self.sh(VMBUS)))

    def _record(self, kind: str, size: int, place: int) -> bytes | None:
        """One record of a device; None where the processor refuses it."""
        arguments = (self._opened(kind), str(size), str(place))
        result = self._run(["sh", "-c", READ, "sh", *arguments])
        said = _all_of(result)
        if REFUSED.search(said):
            return None
        try:
            return base64.b64decode(said.strip(), validate=True)
        except ValueError as error:
            raise ChannelError(
                f"the guest's answer from its {kind} device is no base64: {said[-300:]!r}"
            ) from error

    def _opened(self, kind: str) -> str:
        device = f"{DEVICES}/{kind}"
        if not self.succeeds("sh", "-c", OPEN, "sh", device, kind):
            raise HarnessError(
                f"the guest's kernel has no {device}, and no module {kind} to make it",
                remedy=f"a kernel built with X86_{kind.upper()}, as the distributions' generic are",
            )
        return device


def _all_of(result: CommandResult) -> str:
    """Output and errors, which a console gives as one."""
    return result.text + result.error_text
