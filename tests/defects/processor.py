"""Defects of the processor that a guest sees: its CPUID leaves and its registers."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from harness.guests.guest import Guest
from harness.guests.leaf import Leaf
from harness.oracles import cpuid

ANOTHER_HYPERVISOR = """set -e; modprobe cpuid; truncate -s 1073745920 /run/leaves
printf '\\200' | dd of=/run/leaves bs=1 seek=12 conv=notrunc
printf '\\001\\000\\000\\100XenVMMXenVMM' | dd of=/run/leaves bs=1 seek=1073741824 conv=notrunc
mount --bind /run/leaves /dev/cpu/0/cpuid"""
"""A file over the device: leaf 1 reports a hypervisor, 0x40000000 that it is Xen."""

EVERY_REGISTER = """set -e; modprobe msr; truncate -s 1073745920 /run/registers
printf planted. | dd of=/run/registers bs=1 seek=1073742048 conv=notrunc
mount --bind /run/registers /dev/cpu/0/msr"""
"""A file over the device: every register can be read and written, 0x400000E0 holds a value."""

MASK = Leaf(eax=cpuid.HYPERCALLS, ebx=cpuid.MESSAGES | 1)
"""A child's privileges, and the root's CreatePartitions."""

LEAVES = {
    0x40000000: Leaf(0x40000005, *struct.unpack("<3I", cpuid.Signature.HYPERV.encode())),
    0x40000001: Leaf(cpuid.HYPERV_INTERFACE),
    0x40000003: MASK,
}


def privileged(guests: Sequence[Guest]) -> None:
    """A hypervisor that shows Hyper-V's interface, and makes every guest a root."""

    def answer(leaf: int, subleaf: int = 0) -> Leaf:
        return LEAVES.get(leaf, Leaf())

    guests[0].linux.cpuid = answer  # type: ignore[method-assign]
