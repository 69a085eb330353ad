"""CPUID and registers of a Linux guest's processor, and the channels of its VMBus."""

from __future__ import annotations

import base64
import re

from harness.channels.base import CommandResult
from harness.errors import ChannelError, HarnessError, NotApplicable
from harness.guests.leaf import Leaf
from harness.guests.linux.shell import LinuxShell

DEVICES = "/dev/cpu/0"

OPEN = '[ -e "$1" ] || modprobe "$2"'

READ = 'LC_ALL=C dd if="$1" bs="$2" count=1 iflag=skip_bytes skip="$3" status=none | base64 -w0'
"""A record of the device is an instruction's result, its offset the leaf or register number."""

WRITE = (
    'printf %s "$2" | base64 -d |'
    ' LC_ALL=C dd of="$1" bs=8 count=1 oflag=seek_bytes seek="$3" conv=notrunc status=none'
)

REFUSED = re.compile("Input/output error|I/O error")
"""The kernel's error where the processor raised a fault at the instruction."""

FORBIDDEN = "Operation not permitted"

VMBUS = 'for d in /sys/bus/vmbus/devices/*; do [ ! -e "$d/class_id" ] || cat "$d/class_id"; done; :'

CLASS = re.compile(r"\{([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}")


class LinuxRegisters(LinuxShell):
    """CPUID and model-specific registers of the first processor, through the kernel's devices.

    Every method raises HarnessError where the kernel has no such device.
    Source: Linux, arch/x86/kernel/cpuid.c and msr.c.
    """

    def cpuid(self, leaf: int, subleaf: int = 0) -> Leaf:
        """CPUID's result; raises ChannelError for one of another size."""
        record = self._record("cpuid", 16, subleaf << 32 | leaf)
        if record is None:
            raise ChannelError(f"the guest's processor refuses CPUID leaf {leaf:#x}")
        return Leaf.of(record)

    def read_msr(self, number: int) -> int | None:
        """A register's 64 bits; None where the processor refuses to read it."""
        record = self._record("msr", 8, number)
        if record is None:
            return None
        if len(record) != 8:
            raise ChannelError(f"the guest's register {number:#x} has {len(record)} bytes, not 8")
        return int.from_bytes(record, "little")

    def write_msr(self, number: int, value: int) -> bool:
        """Write a register's 64 bits; returns whether the processor accepted them.

        Raises NotApplicable where the kernel's lockdown forbids it (as with Secure Boot).
        """
        device = self._opened("msr")
        data = base64.b64encode(value.to_bytes(8, "little")).decode()
        result = self._run(["sh", "-c", WRITE, "sh", device, data, str(number)])
        output = _all_of(result)
        if result.exit_status == 0:
            return True
        if REFUSED.search(output):
            return False
        if FORBIDDEN in output:
            raise NotApplicable("the guest's kernel forbids writing the processor's registers")
        raise ChannelError(f"writing the guest's register {number:#x} failed: {output[-300:]!r}")

    def vmbus_classes(self) -> list[str]:
        """The ids of the classes of all channels on Hyper-V's bus, sorted, with repetitions."""
        return sorted(CLASS.findall(self.sh(VMBUS)))

    def _record(self, kind: str, size: int, place: int) -> bytes | None:
        """One record of a device; None where the processor refuses it."""
        arguments = (self._opened(kind), str(size), str(place))
        result = self._run(["sh", "-c", READ, "sh", *arguments])
        output = _all_of(result)
        if REFUSED.search(output):
            return None
        try:
            return base64.b64decode(output.strip(), validate=True)
        except ValueError as error:
            raise ChannelError(
                f"the output of the guest's {kind} device is not base64: {output[-300:]!r}"
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
    """Standard output and error, which a console merges."""
    return result.text + result.error_text
