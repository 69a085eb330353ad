"""Which lines of QEMU's `info registers` hold vector registers."""

from __future__ import annotations

import pytest

from harness.hypervisors.libvirt.processors import VECTOR_REGISTER

VECTORS = (
    "FPR0=0000 0000",
    "XMM00=0000",
    "Q00=0:0",
    "s00=0 s01=0",
    "Z00[f-e]=0",
    "   [1-0]=0",
    "ZA[07]=0:0",
)
OTHERS = ("RAX=0000", "DR0=0000 DR1=0000", " PC=0000 X00=0000", "X02=0", "SS =0000 0", "CPU#0", "")


@pytest.mark.parametrize("line", VECTORS)
def test_a_line_of_vector_registers_is_known(line: str) -> None:
    assert VECTOR_REGISTER.match(line)


@pytest.mark.parametrize("line", OTHERS)
def test_no_other_line_is_taken_for_one(line: str) -> None:
    assert VECTOR_REGISTER.match(line) is None
