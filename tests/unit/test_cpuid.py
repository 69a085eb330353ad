"""The decoder of hypervisors' CPUID leaves, over made ones, valid and invalid."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import pytest

from harness.errors import ChannelError
from harness.guests.leaf import Leaf
from harness.hypervisors.definitions import Accelerator
from harness.hypervisors.facets.host_services import ServiceName
from harness.oracles import cpuid
from harness.oracles.cpuid import IsolationType, Range
from harness.oracles.vmbus import CLASSES, services_on

Leaves = Mapping[int, Leaf]

PAST_THE_LAST = Leaf(0xFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
"""A processor's result for a leaf that does not exist: as Intel's, other data."""


def first(signature: str, highest: int) -> Leaf:
    return Leaf(highest, *struct.unpack("<3I", signature.encode().ljust(12, b"\0")))


def reader(leaves: Leaves) -> cpuid.Reader:
    return lambda leaf: leaves.get(leaf, PAST_THE_LAST)


def child(**changed: Leaf) -> dict[int, Leaf]:
    """Hyper-V as a child sees it; `changed` are leaves by the end of their number (`x4`, ...)."""
    leaves = {
        1: Leaf(ecx=cpuid.PRESENT),
        0x40000000: first("Microsoft Hv", 0x4000000C),
        0x40000001: Leaf(cpuid.HYPERV_INTERFACE),
        0x40000003: Leaf(0xAE7F, 0x388030, 0, 0xFED7B2),
        0x40000004: Leaf(0x60C2C),
        0x40000005: Leaf(240, 512, 1),
        0x40000006: Leaf(0xF),
        0x4000000A: Leaf(),
        0x4000000C: Leaf(),
    }
    return leaves | {0x40000000 + int(name[1:], 16): leaf for name, leaf in changed.items()}


CHILD = child()
ROOT = child(x3=Leaf(0xBFFF, 0x2BB9FF))
NESTED = child(x3=Leaf(0xBFFF, 0x2BB9FF), x4=Leaf(1 << 12), xA=Leaf(0xE0101))
ISOLATED = child(x3=Leaf(0x20, 0x400030), xC=Leaf(1, 1 << 5 | 2))
TCG = {
    1: Leaf(ecx=cpuid.PRESENT),
    0x40000000: first("TCGTCGTCGTCG", 0x40000001),
    0x40000001: Leaf(),
}
KVM = {
    1: Leaf(ecx=cpuid.PRESENT),
    0x40000000: first("KVMKVMKVM", 0x40000001),
    0x40000001: Leaf(0x01007EFB),
}
ENLIGHTENED = child(
    x0=first("Microsoft Hv", 0x40000005),
    x3=Leaf(0x20, 0x30),
    x100=first("KVMKVMKVM", 0x40000101),
    x101=Leaf(0x01000009),
)
METAL = {1: Leaf()}


def shown(leaves: Leaves) -> cpuid.HyperV:
    interface = cpuid.hyperv(reader(leaves))
    assert interface is not None
    return interface


def test_a_leaf_is_four_registers_in_order() -> None:
    leaf = Leaf.of(b"\1\0\0\x40KVMKVMKVM\0\0\0")
    assert (leaf.eax, leaf.text) == (0x40000001, "KVMKVMKVM")
    assert Leaf.of(bytes(range(16))).edx == 0x0F0E0D0C


@pytest.mark.parametrize("size", [0, 1, 15, 17, 4096])
def test_an_answer_of_another_size_is_an_error(size: int) -> None:
    with pytest.raises(ChannelError, match=f"{size} bytes, not 16"):
        Leaf.of(bytes(size))


def test_a_signature_is_ascii_whatever_the_guest_says() -> None:
    hostile = Leaf(0, 0xFF1B5B32, 0, 0x41)
    assert hostile.text.isascii()
    assert hostile.text != cpuid.Signature.HYPERV


@pytest.mark.parametrize(
    ("leaves", "expected"),
    [
        (TCG, ["TCGTCGTCGTCG"]),
        (KVM, ["KVMKVMKVM"]),
        (CHILD, ["Microsoft Hv"]),
        (ENLIGHTENED, ["Microsoft Hv", "KVMKVMKVM"]),
    ],
)
def test_every_hypervisor_that_shows_itself_is_named(leaves: Leaves, expected: list[str]) -> None:
    assert cpuid.signatures(reader(leaves)) == expected
    assert cpuid.is_virtual(reader(leaves))


def test_without_a_hypervisor_nobody_is_named() -> None:
    assert not cpuid.is_virtual(reader(METAL))
    assert not set(cpuid.signatures(reader(METAL))) & set(cpuid.Signature)


def test_each_accelerator_has_a_name_of_its_own() -> None:
    assert set(cpuid.EXPECTED) == set(Accelerator)
    assert set(cpuid.EXPECTED.values()) == set(cpuid.Signature)


def test_a_range_ends_with_its_last_leaf() -> None:
    (kvm,) = cpuid.ranges(reader(KVM))
    assert kvm == Range(0x40000000, "KVMKVMKVM", 0x40000001)
    assert kvm.read(reader(KVM), 2) == Leaf(), "not the processor's data past the last leaf"


def test_old_kvm_that_tells_no_last_leaf_has_two() -> None:
    old = KVM | {0x40000000: first("KVMKVMKVM", 0)}
    assert cpuid.ranges(reader(old))[0].highest == 0x40000001
    assert "steal-time" in cpuid.kvm_features(reader(old))


def test_kvm_s_features_are_found_in_its_own_range() -> None:
    expected = {"clocksource", "clocksource2", "clocksource-stable"}
    assert cpuid.kvm_features(reader(ENLIGHTENED)) == expected
    assert cpuid.kvm_features(reader(KVM)) > expected
    assert cpuid.kvm_features(reader(TCG)) == set()
    assert cpuid.kvm_features(reader(CHILD)) == set()


def test_a_child_has_what_a_child_has() -> None:
    interface = shown(CHILD)
    assert interface.access & cpuid.HYPERCALLS
    assert interface.privileges & cpuid.MESSAGES == cpuid.MESSAGES
    assert interface.of_the_root == []
    assert not interface.own_hypervisor
    assert (interface.processors, interface.hints, interface.hardware) == (240, 0x60C2C, 0xF)
    assert (interface.features, interface.nested_features) == (0xFED7B2, 0)


def test_the_root_s_privileges_are_named() -> None:
    assert shown(ROOT).of_the_root == list(cpuid.ROOT_ALONE.values())


@pytest.mark.parametrize("bit", range(32))
def test_each_bit_is_judged_alone(bit: int) -> None:
    interface = shown(child(x3=Leaf(0, 1 << bit)))
    own = cpuid.ROOT_ALONE.get(bit)
    assert interface.of_the_root == ([own] if own else [])
    assert (own is not None) == (bit in (0, 1, 2, 6, 7, 8, 12))


@pytest.mark.parametrize(
    "leaves", [NESTED, child(x3=Leaf(0, 1), x6=Leaf(1 << 10))], ids=["hint", "level"]
)
def test_the_root_of_a_hypervisor_of_its_own_has_nothing_of_the_host_s(leaves: Leaves) -> None:
    interface = shown(leaves)
    assert interface.privileges & 1, "the control: the bit is there"
    assert interface.own_hypervisor
    assert interface.of_the_root == []


def test_nested_features_and_level_are_told() -> None:
    assert shown(NESTED).nested_features == 0xE0101
    assert shown(child(x6=Leaf(2 << 10 | 0xF))).level == 2
    assert shown(CHILD).level == 0


def test_how_a_partition_is_isolated_is_told() -> None:
    isolation = shown(ISOLATED).isolation
    assert isolation.type == IsolationType.SNP
    assert isolation.paravisor
    assert isolation.shared_boundary
    assert shown(CHILD).isolation == cpuid.Isolation(IsolationType.NONE, False, False)


def test_isolation_counts_only_where_the_mask_says_that_it_is_told() -> None:
    assert shown(child(xC=Leaf(1, 3))).isolation.type == IsolationType.NONE


def test_a_type_of_isolation_that_is_not_known_yet_is_no_error() -> None:
    assert shown(child(x3=Leaf(0, 1 << 22), xC=Leaf(0, 9))).isolation.type == 9


def test_kvm_that_shows_hyper_v_s_interface_has_it_up_to_its_last_leaf() -> None:
    interface = shown(ENLIGHTENED)
    assert interface.of_the_root == []
    assert interface.hardware == 0, "leaf 6 is past the last"


@pytest.mark.parametrize(
    "leaves",
    [TCG, KVM, METAL, child(x1=Leaf(0)), child(x0=first("Microsoft hv", 0x40000005))],
)
def test_hyper_v_s_interface_takes_its_signature_and_its_id(leaves: Leaves) -> None:
    assert cpuid.hyperv(reader(leaves)) is None


def test_services_are_known_by_their_classes() -> None:
    assert set(CLASSES.values()) == set(ServiceName)
    nic = "f8615163-df3e-46c5-913f-f2d2f965ed0e"
    heartbeat = "57164f39-9115-4e78-ab55-382f3bd5422d"
    assert services_on([nic, heartbeat, heartbeat]) == {ServiceName.HEARTBEAT}
    assert services_on([]) == set()
