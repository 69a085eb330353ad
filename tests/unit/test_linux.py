"""What a Linux guest says of itself, read from scripted answers, sound and unsound ones."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.channels.base import CommandResult
from harness.errors import ChannelError
from harness.guests.linux import LinuxOs
from harness.guests.os import GuestDisk, LogLine, Processor


def saying(*answers: str, exit_status: int = 0) -> LinuxOs:
    """A guest that gives these answers, one after the other."""
    left = list(answers)

    def run(arguments: Sequence[str], *, stdin: bytes = b"", seconds: float = 30) -> CommandResult:
        return CommandResult(tuple(arguments), exit_status, left.pop(0).encode(), b"no such file")

    return LinuxOs(run)


def test_a_script_that_fails_is_an_error_with_what_it_said() -> None:
    with pytest.raises(ChannelError, match="ended with 1: 'no such file'"):
        saying("", exit_status=1).read("/nowhere")


@pytest.mark.parametrize(
    ("listed", "count"), [("0\n", 1), ("0-3\n", 4), ("0-1,4\n", 3), ("0,2,4-7\n", 6)]
)
def test_processors_are_counted_from_the_kernels_list(listed: str, count: int) -> None:
    assert saying(listed).cpus_online() == count


def test_memory_is_told_in_bytes() -> None:
    assert saying("MemFree: 5 kB\nMemTotal:   1000 kB\n").memory_total() == 1024_000
    with pytest.raises(ChannelError, match="MemTotal"):
        saying("nothing of the kind").memory_total()


def test_disks_are_listed() -> None:
    disks = saying("vda|GC-ROOT|2048|virtio_blk\nsda||16|sd\n").disks()
    assert disks == [
        GuestDisk("vda", "GC-ROOT", 1048576, "virtio_blk"),
        GuestDisk("sda", "", 8192, "sd"),
    ]


def test_a_line_of_other_form_is_an_error() -> None:
    with pytest.raises(ChannelError, match="not 4 fields"):
        saying("vda|x|y|1|2|3").disks()


def test_the_kernel_log_has_levels() -> None:
    log = saying("<6>[0.0] Linux version\n<12>[1.0] user's\nrubbish\n").kernel_log()
    assert log == [LogLine(6, "[0.0] Linux version"), LogLine(4, "[1.0] user's")]


@pytest.mark.parametrize("answer", ["{", '{"a": 1}', "[" * 100_000])
def test_an_answer_that_is_no_list_is_an_error(answer: str) -> None:
    with pytest.raises(ChannelError):
        saying(answer).default_routes()


def test_gateways_are_read() -> None:
    assert saying('[{"gateway": "10.0.0.1"}, 5]').default_routes() == ["10.0.0.1"]
    assert saying("").default_routes() == []


def test_a_name_that_is_unknown_has_no_address() -> None:
    assert saying("", exit_status=2).resolve("nowhere.test") == []
    both = saying("10.0.0.1 STREAM x\n10.0.0.1 DGRAM\nfd00::1 STREAM\n")
    assert both.resolve("host.test") == ["10.0.0.1", "fd00::1"]


def test_processors_and_nodes_are_listed_with_their_places() -> None:
    assert saying("0|0|0|0-1\n1|0|0|0-1\n").processors() == [
        Processor(0, 0, 0, "0-1"),
        Processor(1, 0, 0, "0-1"),
    ]
    assert saying("0|0-1|1000\n1|2|500\n").numa_nodes() == {0: (2, 1024_000), 1: (1, 512_000)}
    with pytest.raises(ChannelError, match="not 4 fields"):
        saying("0|0").processors()


def test_interrupts_of_all_processors_are_added_up() -> None:
    table = "           CPU0       CPU1\n  1:   5   6  IO-APIC\nNMI:   2   3   Non-maskable\n"
    assert saying(table).interrupts("NMI") == 5
    with pytest.raises(ChannelError, match="counts no LOC"):
        saying(table).interrupts("LOC")


def test_a_device_without_a_driver_is_listed_too() -> None:
    assert saying("virtio_net\n-\nvirtio_blk\n").virtio_drivers() == [
        "-",
        "virtio_blk",
        "virtio_net",
    ]
