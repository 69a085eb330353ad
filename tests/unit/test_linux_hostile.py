"""A Linux guest that answers what it should not: nothing but a ChannelError comes of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from unittest.mock import Mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.channels.base import CommandResult
from harness.errors import ChannelError, GuestFailure, HarnessError, NotApplicable
from harness.guests import answers
from harness.guests.linux.shell import ANSWER_LIMIT
from harness.guests.linux.system import LinuxOs
from harness.guests.os.lifecycle import Ending
from harness.workloads.counter import Counter
from harness.workloads.program import RunningProgram, program
from harness.workloads.traffic import Endpoint
from tests.unit.windows_operations import operations

Ask = Callable[[LinuxOs], object]

ASKED: dict[str, Ask] = {
    "lifecycle.boot_id": lambda os: os.lifecycle.boot_id(),
    "lifecycle.uptime": lambda os: os.lifecycle.uptime(),
    "lifecycle.clock": lambda os: os.lifecycle.clock(),
    "lifecycle.startup": lambda os: os.lifecycle.startup(),
    "lifecycle.settled": lambda os: os.lifecycle.settled(),
    "lifecycle.ended_cleanly": lambda os: os.lifecycle.ended_cleanly(b"", Ending.REBOOT),
    "log.lines": lambda os: os.log.rules.faults(os.log.lines()),
    "services.running": lambda os: os.services.running(),
    "services.failed": lambda os: os.services.failed(),
    "cpus.online": lambda os: os.cpus.online(),
    "cpus.present": lambda os: os.cpus.present(),
    "cpus.missing_flags": lambda os: os.cpus.missing_flags({"sse2"}),
    "cpus.topology": lambda os: os.cpus.topology(),
    "cpus.numa_nodes": lambda os: os.cpus.numa_nodes(),
    "cpus.runs_on": lambda os: os.cpus.runs_on(1),
    "memory.available": lambda os: os.memory.available(),
    "memory.total": lambda os: os.memory.total(),
    "disks.all": lambda os: os.disks.all(),
    "disks.drivers": lambda os: os.disks.drivers("vda"),
    "disks.root": lambda os: os.disks.root(),
    "network.nics": lambda os: os.network.nics(),
    "devices.smbios": lambda os: os.devices.smbios("sys_vendor"),
    "devices.pci": lambda os: os.devices.pci(),
    "devices.usb": lambda os: os.devices.usb(),
    "devices.virtio_drivers": lambda os: os.devices.virtio_drivers(),
    "devices.virtio_ports": lambda os: os.devices.virtio_ports(),
    "network.default_routes": lambda os: os.network.default_routes(),
    "network.resolve": lambda os: os.network.resolve("host.test"),
    "network.identity": lambda os: os.network.identity(),
    "firmware.secure_boot": lambda os: os.firmware.secure_boot(),
    "tpm.version": lambda os: os.tpm.version(),
    "tpm.exchange": lambda os: os.tpm.exchange(b"x"),
    "firmware.has_boot_argument": lambda os: os.firmware.has_boot_argument("quiet"),
    "firmware.variable": lambda os: os.firmware.variable("Mark", "vendor"),
    "files.root_is_writable": lambda os: os.files.root_is_writable(),
    "files.content": lambda os: os.files.content("name"),
    "files.markers_on_disk": lambda os: os.files.markers_on_disk(),
    "files.markers_in_memory": lambda os: os.files.markers_in_memory(),
    "disks.fill_file": lambda os: os.disks.fill_file("mark"),
    "disks.holds": lambda os: os.disks.holds("mark", start=0, mebibytes=1),
    "disks.bytes_not_zero": lambda os: os.disks.bytes_not_zero("vda", 1),
    "hibernation.prepare": lambda os: os.hibernation.prepare("GC-SWAP"),
    "hibernation.enable": lambda os: os.hibernation.enable("GC-SWAP"),
    "background.start": lambda os: os.background.start(program("counting"), "count-1", []),
    "background.output": lambda os: os.background.output("count-1", limit=99),
    "cpus.load": lambda os: os.cpus.load(),
    "background.runs": lambda os: os.background.runs("x"),
    "product.release": lambda os: os.product.release(),
    "product.packages": lambda os: os.product.packages(limit=100),
    # What Linux alone has.
    "require_kernel": lambda os: os.require_kernel((5, 0), "does it"),
    "interrupts": lambda os: os.interrupts("NMI"),
    "load_watchdog": lambda os: os.load_watchdog(heartbeat=5),
    "random_source": lambda os: os.random_source(),
    "random_from_device": lambda os: os.random_from_device(4),
    "random_at_once": lambda os: os.random_at_once(4),
    "cpuid": lambda os: os.cpuid(1),
    "read_msr": lambda os: os.read_msr(1),
    "vmbus_classes": lambda os: os.vmbus_classes(),
}

ANSWERLESS = {
    "firmware.add_boot_argument",
    "lifecycle.crash",
    "lifecycle.hang",
    "devices.has_acpi_driver",
    "disks.has_filled_file",
    "background.install",
    "firmware.is_uefi",
    "firmware.is_reported",
    "programs.lasting",
    "devices.load_driver",
    "log.rules",
    "lifecycle.power_off",
    "programs.random_mebibyte",
    "lifecycle.reboot",
    "log.recent",
    "programs.saying",
    "firmware.set_variable",
    "background.stop",
    "programs.succeeding",
    "disks.sync",
    "devices.unload_driver",
    "files.write",
    "files.write_marker",
}
"""Operations of which nothing but the exit status is read, or nothing is asked."""


def saying(text: bytes) -> LinuxOs:
    def run(arguments: Sequence[str], *, stdin: bytes = b"", seconds: float = 30) -> CommandResult:
        return CommandResult(tuple(arguments), 0, text, b"")

    return LinuxOs(run)


def test_every_answer_is_tried() -> None:
    assert set(operations()) - ANSWERLESS <= set(ASKED)


def numbers_in(value: object) -> Iterator[float]:
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from (*numbers_in(key), *numbers_in(inner))
    elif isinstance(value, tuple | list | set):
        for inner in value:
            yield from numbers_in(inner)


def check(text: bytes) -> None:
    for name, ask in ASKED.items():
        try:
            got = ask(saying(text))
        except (ChannelError, NotApplicable):
            continue
        except HarnessError as error:
            raise AssertionError(f"{name}: {error!r}") from error
        for number in numbers_in(got):
            assert math.isfinite(number), name
            assert number >= 0, name


JUNK = {
    "nothing": b"",
    "blanks": b" \n\n \t",
    "words": b"the answer is not here",
    "bytes": b"\xff\xfe\x00\x80" * 10,
    "nan": b"nan",
    "infinite": b"inf inf",
    "negative": b"-5\n-5",
    "huge": b"9" * 5000,
    "exponent": b"1e400 1e400",
    "superscript": "²\n²|²|²|²\nNMI: ² ²".encode(),
    "arabic digits": "٣ ٣".encode(),
    "columns": b"|||\n||\n|",
    "numbers": b"a|-|b|c\n0|x|y|z",
    "backwards": b"5-1",
    "open range": b"0-",
    "many": b"0-99999999999999999999",
    "no fields": b"() " + b"x " * 40,
    "objects": b"[5]",
    "lists": b'[{"ifname": [], "addr_info": 5, "gateway": {}}]',
    "texts": b'[{"ifname": "eth0", "addr_info": ["x", {"local": "10.0.0.1", "prefixlen": "x"}]}]',
    "true": b'[{"ifname": "eth0", "addr_info": [{"local": "10.0.0.1", "prefixlen": true}]}]',
    "memory": b"MemTotal: x kB\nMemAvailable: -5 kB",
    "log": b"<99999999999>x\n<>\n<4>",
    "equals": b"=os-release\nID='\nVERSION_ID=",
}


@pytest.mark.parametrize("text", JUNK.values(), ids=JUNK)
def test_junk_is_a_channel_error_or_a_value_in_bounds(text: bytes) -> None:
    check(text)


@settings(max_examples=60, deadline=None)
@given(text=st.binary(max_size=200))
@example(text=b"0")
def test_whatever_is_said_nothing_else_is_raised(text: bytes) -> None:
    check(text)


words = st.sampled_from(
    ["eth0", "2:", "inet", "inet6", "peer", "00000000", "0103D90A", "10.0.0.1/24", "/", "fd00::/99"]
)
columns = st.lists(words | st.text(max_size=5), max_size=12).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(columns, max_size=4))
def test_whatever_a_table_of_the_network_holds_nothing_else_is_raised(lines: list[str]) -> None:
    text = "\n".join(lines).encode(errors="replace")
    for ask in (ASKED["network.default_routes"], lambda os: os.network._addresses()):
        try:
            answer: object = ask(saying(text))
        except ChannelError as error:
            answer = error
        assert isinstance(answer, list | dict | ChannelError)


def test_an_answer_without_an_end_is_a_channel_error() -> None:
    with pytest.raises(ChannelError, match="are not read"):
        saying(b"x" * (ANSWER_LIMIT + 1)).read("/proc/uptime")


@pytest.mark.parametrize("text", ["", " ", "-1", "11", "1.5", "1e3", "0x5", "²", "9" * 5000, "1 2"])
def test_a_whole_number_is_in_its_bounds(text: str) -> None:
    with pytest.raises(ChannelError, match="number in bounds"):
        answers.whole_number(text, "size", most=10)


@pytest.mark.parametrize("text", ["", "-1", "nan", "inf", "1e3", "1.", ".5", "9" * 5000, "1.5.5"])
def test_a_decimal_number_is_finite_and_not_negative(text: str) -> None:
    with pytest.raises(ChannelError, match="number in bounds"):
        answers.decimal(text, "load")


def test_sound_numbers_are_read() -> None:
    assert answers.whole_number(" 10\n", "size", most=10) == 10
    assert answers.whole_number("-1", "slot", least=-1) == -1
    assert answers.decimal("12.50\n", "load") == 12.5
    assert answers.word("a b c", 2, "line") == "c"
    assert answers.rows("a|b\nc|", 2, "table") == [["a", "b"], ["c", ""]]


def test_a_guest_without_a_card_cannot_be_a_station() -> None:
    guest = Mock()
    guest.os.network.nics.return_value = []
    with pytest.raises(HarnessError, match="lists no network card"):
        Endpoint.of(guest)


@pytest.mark.parametrize(
    ("output", "error"),
    [
        ('{"event": "lost", "value": "reset"}', GuestFailure),
        ('{"event": "count", "value": -1}', ChannelError),
        ('{"event": "count", "value": "1"}', ChannelError),
        ('{"event": "count", "value": 1e400}', ChannelError),
        ('{"event": "other"}', ChannelError),
        ('{"event": 5}', ChannelError),
    ],
)
def test_a_count_that_is_none_is_not_believed(output: str, error: type[Exception]) -> None:
    guest = Mock()
    guest.os.background.output.return_value = output + "\n"
    with pytest.raises(error):
        Counter(RunningProgram(guest, "counting-1", 1, False)).value()
