"""A CPUID leaf, as a guest's processor returns it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from harness.errors import ChannelError


@dataclass(frozen=True)
class Leaf:
    """The four registers after CPUID."""

    eax: int = 0
    ebx: int = 0
    ecx: int = 0
    edx: int = 0

    @classmethod
    def of(cls, answer: bytes) -> Leaf:
        """Read 16 bytes, as Linux's device gives them: EAX, EBX, ECX, EDX, little-endian.

        Raises ChannelError for more or fewer.
        """
        if len(answer) != 16:
            raise ChannelError(f"the guest's CPUID leaf has {len(answer)} bytes, not 16")
        return cls(*struct.unpack("<4I", answer))

    @property
    def text(self) -> str:
        """EBX, ECX and EDX as text, without trailing zeros; bytes other than ASCII escaped."""
        spelled = struct.pack("<3I", self.ebx, self.ecx, self.edx).rstrip(b"\0")
        return spelled.decode("ascii", errors="backslashreplace")
