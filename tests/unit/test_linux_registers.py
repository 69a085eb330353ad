"""CPUID and registers of a Linux guest, by the true scripts from files in devices' place."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.channels.base import CommandResult
from harness.errors import ChannelError, HarnessError, NotApplicable
from harness.guests.leaf import Leaf
from harness.guests.linux.registers import DEVICES
from harness.guests.linux.system import LinuxOs

Answer = tuple[int, bytes, bytes]
"""Exit status, output and errors."""


class Files:
    """A Runner of this host, with a folder in the place of the processor's devices."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self, arguments: Sequence[str], *, stdin: bytes = b"", seconds: float = 30
    ) -> CommandResult:
        own = [argument.replace(DEVICES, str(self.folder)) for argument in arguments]
        ended = subprocess.run(own, input=stdin, capture_output=True, timeout=seconds, check=False)
        return CommandResult(tuple(own), ended.returncode, ended.stdout, ended.stderr)


def saying(*answers: Answer) -> LinuxOs:
    """A guest that gives these answers, one after the other."""
    left = list(answers)

    def run(arguments: Sequence[str], *, stdin: bytes = b"", seconds: float = 30) -> CommandResult:
        return CommandResult(tuple(arguments), *left.pop(0))

    return LinuxOs(run)


THERE: Answer = (0, b"", b"")
"""The device is there."""

FAULT = b"dd: error reading '/dev/cpu/0/msr': Input/output error\n"


def test_a_leaf_is_read_at_its_place(tmp_path: Path) -> None:
    with (tmp_path / "cpuid").open("wb") as device:
        device.seek(0x40000001)
        device.write(bytes(range(16)))
        device.seek(7 << 32 | 0xD)
        device.write(bytes(range(100, 116)))
    linux = LinuxOs(Files(tmp_path))
    assert linux.cpuid(0x40000001) == Leaf.of(bytes(range(16)))
    assert linux.cpuid(0xD, 7) == Leaf.of(bytes(range(100, 116)))
    assert linux.cpuid(0x1000) == Leaf()


def test_an_answer_that_is_cut_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "cpuid").write_bytes(bytes(20))
    (tmp_path / "msr").write_bytes(bytes(20))
    linux = LinuxOs(Files(tmp_path))
    with pytest.raises(ChannelError, match="15 bytes, not 16"):
        linux.cpuid(5)
    with pytest.raises(ChannelError, match="4 bytes, not 8"):
        linux.read_msr(16)


def test_a_register_is_read_and_written_at_its_place(tmp_path: Path) -> None:
    device = tmp_path / "msr"
    device.write_bytes(bytes(range(200)))
    linux = LinuxOs(Files(tmp_path))
    assert linux.read_msr(0x1B) == int.from_bytes(bytes(range(0x1B, 0x23)), "little")
    assert linux.write_msr(0x1B, 0xFEDCBA9876543210)
    assert linux.read_msr(0x1B) == 0xFEDCBA9876543210
    rest = device.read_bytes()
    assert rest[:0x1B] + rest[0x23:] == bytes(range(0x1B)) + bytes(range(0x23, 200))


def test_a_fault_is_a_refusal() -> None:
    assert saying(THERE, (0, b"", FAULT)).read_msr(0x400000E0) is None
    assert not saying(THERE, (1, b"", FAULT.replace(b"reading", b"writing"))).write_msr(1, 2)


def test_a_console_gives_errors_with_the_output() -> None:
    assert saying(THERE, (0, FAULT, b"")).read_msr(0x400000E0) is None
    assert not saying(THERE, (1, FAULT, b"")).write_msr(1, 2)


@pytest.mark.parametrize("output", [b"dd: out of memory\n", b""])
def test_another_failure_is_no_refusal(output: bytes) -> None:
    with pytest.raises(ChannelError, match=r"out of memory|0 bytes"):
        saying(THERE, (0, b"", output)).read_msr(1)
    with pytest.raises(ChannelError, match="writing the guest's register 0x1 failed"):
        saying(THERE, (1, b"", output)).write_msr(1, 2)


def test_a_locked_down_kernel_rules_writing_out() -> None:
    locked = b"dd: error writing '/dev/cpu/0/msr': Operation not permitted\n"
    with pytest.raises(NotApplicable, match="forbids writing"):
        saying(THERE, (1, b"", locked)).write_msr(1, 2)


def test_a_leaf_is_never_refused_by_a_sound_processor() -> None:
    with pytest.raises(ChannelError, match="refuses CPUID leaf 0x1"):
        saying(THERE, (0, b"", FAULT)).cpuid(1)


@pytest.mark.parametrize(
    "output",
    [b"\xff\xfe", b"not base64", base64.b64encode(bytes(4096))],
    ids=["bytes", "text", "long"],
)
def test_a_hostile_answer_is_an_error(output: bytes) -> None:
    with pytest.raises(ChannelError):
        saying(THERE, (0, output, b"")).cpuid(1)
    with pytest.raises(ChannelError):
        saying(THERE, (0, output, b"")).read_msr(1)


def test_a_kernel_without_the_module_says_nothing_of_the_guest() -> None:
    with pytest.raises(HarnessError, match="no module cpuid") as caught:
        saying((1, b"", b"modprobe: FATAL: Module cpuid not found")).cpuid(1)
    assert not isinstance(caught.value, ChannelError)
    assert "X86_CPUID" in str(caught.value)


def test_channels_are_known_by_their_class() -> None:
    heartbeat = "57164f39-9115-4e78-ab55-382f3bd5422d"
    linux = saying((0, f"{{{heartbeat}}}\nrubbish\n{{{heartbeat}}}\n{{1}}\n".encode(), b""))
    assert linux.vmbus_classes() == [heartbeat, heartbeat]
    assert saying(THERE).vmbus_classes() == []
