"""Decoder of the hypervisor's CPUID leaves, from 0x40000000 on.

Sources: Microsoft, Hypervisor Top-Level Functional Specification (TLFS), feature and interface
discovery; Linux, Documentation/virt/kvm/x86/cpuid.rst; QEMU, target/i386/cpu.c.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from harness.guests.leaf import Leaf
from harness.hypervisors.definitions import Accelerator

FIRST, SECOND = 0x40000000, 0x40000100
"""The first leaf of a hypervisor: KVM moves to the second where Hyper-V's leaves take the first."""

HYPERV_INTERFACE = int.from_bytes(b"Hv#1", "little")

PRESENT = 1 << 31
"""Bit of leaf 1's ECX: a hypervisor is present; a real processor never sets it."""

HYPERCALLS = 1 << 5
"""Bit of the mask's low half (AccessHypercallMsrs): without it a guest can make no hypercall."""

MESSAGES = 1 << 4 | 1 << 5
"""Bits of the mask's high half (PostMessages, SignalEvents): a child's VMBus needs them."""

ISOLATION = 1 << 22
"""Bit of the mask's high half: the leaf about isolation is valid."""

NESTED = 1 << 12
"""Bit of the hints: this hypervisor runs in a partition of another one."""

ROOT_ALONE = {
    0: "CreatePartitions",
    1: "AccessPartitionId",
    2: "AccessMemoryPool",
    6: "CreatePort",
    7: "ConnectPort",
    8: "AccessStats",
    12: "CpuManagement",
}
"""Bits of the mask's high half that a child must not have, with TLFS's names."""

KVM_FEATURES = {
    0: "clocksource",
    1: "nop-io-delay",
    3: "clocksource2",
    4: "async-pf",
    5: "steal-time",
    6: "pv-eoi",
    7: "pv-unhalt",
    9: "pv-tlb-flush",
    11: "pv-send-ipi",
    12: "poll-control",
    13: "pv-sched-yield",
    24: "clocksource-stable",
}


class Signature(StrEnum):
    """The first leaf's EBX, ECX and EDX as text, without KVM's trailing zeros."""

    TCG = "TCGTCGTCGTCG"
    KVM = "KVMKVMKVM"
    HYPERV = "Microsoft Hv"


EXPECTED = {
    Accelerator.TCG: Signature.TCG,
    Accelerator.KVM: Signature.KVM,
    Accelerator.HYPERV: Signature.HYPERV,
}
"""The signature of each accelerator."""


class IsolationType(IntEnum):
    """How a partition is isolated from its host (leaf 0x4000000C, EBX bits 3 to 0)."""

    NONE = 0
    VBS = 1
    SNP = 2
    TDX = 3


Reader = Callable[[int], Leaf]
"""Reads a leaf by its number, subleaf 0, from the processor each time."""


@dataclass(frozen=True)
class Range:
    """The leaves of one hypervisor: the first, the signature, and the last."""

    base: int
    signature: str
    highest: int

    def read(self, reader: Reader, number: int) -> Leaf:
        """The leaf at an offset from the first; zeros beyond the last.

        Source: Intel's manual, CPUID: past the last leaf a processor returns other data.
        """
        leaf = self.base + number
        return reader(leaf) if leaf <= self.highest else Leaf()


@dataclass(frozen=True)
class Isolation:
    """Leaf 0x4000000C. Source: TLFS; Linux, hvgdk_mini.h."""

    type: int  # an IsolationType, or a newer one
    paravisor: bool
    shared_boundary: bool

    @classmethod
    def of(cls, leaf: Leaf) -> Isolation:
        """EBX bits 3 to 0 are the type, EAX bit 0 the paravisor, EBX bit 5 the boundary."""
        return cls(leaf.ebx & 0xF, bool(leaf.eax & 1), bool(leaf.ebx >> 5 & 1))


@dataclass(frozen=True)
class HyperV:
    """Hyper-V's interface, shown by itself or by KVM. Source: TLFS, leaves up to 0x4000000C."""

    access: int  # 0x40000003 EAX: the mask of privileges, low half
    privileges: int  # 0x40000003 EBX: the high half
    features: int  # 0x40000003 EDX
    hints: int  # 0x40000004 EAX
    processors: int  # 0x40000005 EAX: the most virtual processors of a partition
    hardware: int  # 0x40000006 EAX
    nested_features: int  # 0x4000000A EAX
    isolation: Isolation

    @property
    def level(self) -> int:
        """The number of hypervisors below (0x40000006 EAX bits 13 to 10); 0 for one on hardware."""
        return self.hardware >> 10 & 0xF

    @property
    def own_hypervisor(self) -> bool:
        """Whether the guest runs a hypervisor of its own, whose root it is.

        Its privileges then apply to that hypervisor's partitions, and to none of the host's.
        """
        return bool(self.hints & NESTED) or self.level > 0

    @property
    def of_the_root(self) -> list[str]:
        """The root's privileges, by TLFS's names, that the guest has; a child must have none."""
        if self.own_hypervisor:
            return []
        return [name for bit, name in ROOT_ALONE.items() if self.privileges >> bit & 1]


def is_virtual(reader: Reader) -> bool:
    """Whether leaf 1 reports a hypervisor (ECX bit 31)."""
    return bool(reader(1).ecx & PRESENT)


def ranges(reader: Reader) -> list[Range]:
    """The visible hypervisors; the first may be any.

    At the second place only KVM counts: without it a processor returns other data there.
    Old KVM reports 0 as its last leaf and means its second. Source: KVM's cpuid.rst.
    """
    found = [_range(reader, FIRST)]
    second = _range(reader, SECOND)
    return [*found, second] if second.signature == Signature.KVM else found


def signatures(reader: Reader) -> list[str]:
    """The signatures of the visible hypervisors."""
    return [each.signature for each in ranges(reader)]


def hyperv(reader: Reader) -> HyperV | None:
    """Hyper-V's interface; None without its signature and id ("Hv#1")."""
    first = ranges(reader)[0]
    interface = first.read(reader, 1).eax
    if first.signature != Signature.HYPERV or interface != HYPERV_INTERFACE:
        return None
    mask = first.read(reader, 3)
    isolated = first.read(reader, 0xC) if mask.ebx & ISOLATION else Leaf()
    return HyperV(
        access=mask.eax,
        privileges=mask.ebx,
        features=mask.edx,
        hints=first.read(reader, 4).eax,
        processors=first.read(reader, 5).eax,
        hardware=first.read(reader, 6).eax,
        nested_features=first.read(reader, 0xA).eax,
        isolation=Isolation.of(isolated),
    )


def kvm_features(reader: Reader) -> set[str]:
    """KVM's features (second leaf, EAX), by the names of Linux's kvm_para.h; empty without KVM."""
    own = [each for each in ranges(reader) if each.signature == Signature.KVM]
    offered = own[0].read(reader, 1).eax if own else 0
    return {name for bit, name in KVM_FEATURES.items() if offered >> bit & 1}


def _range(reader: Reader, base: int) -> Range:
    leaf = reader(base)
    return Range(base, leaf.text, leaf.eax or base + 1)
