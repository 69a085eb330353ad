"""A Linux guest that answers what it should not: nothing but a ChannelError comes of it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from unittest.mock import Mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.channels.base import CommandResult
from harness.errors import ChannelError, GuestFailure, HarnessError, NotApplicable
from harness.guests import answers
from harness.guests.linux import LinuxOs
from harness.guests.linux.shell import ANSWER_LIMIT
from harness.guests.os import Ending, GuestOs
from harness.workloads.counter import Counter
from harness.workloads.program import RunningProgram, program
from harness.workloads.traffic import Endpoint

Ask = Callable[[LinuxOs], object]

ASKED: dict[str, Ask] = {
    "boot_id": lambda os: os.boot_id(),
    "uptime": lambda os: os.uptime(),
    "clock": lambda os: os.clock(),
    "startup": lambda os: os.startup(),
    "settled": lambda os: os.settled(),
    "ended_cleanly": lambda os: os.ended_cleanly(b"", Ending.REBOOT),
    "kernel_log": lambda os: os.log_rules.faults(os.kernel_log()),
    "running_units": lambda os: os.running_units(),
    "failed_units": lambda os: os.failed_units(),
    "cpus_online": lambda os: os.cpus_online(),
    "cpus_present": lambda os: os.cpus_present(),
    "missing_flags": lambda os: os.missing_flags({"sse2"}),
    "processors": lambda os: os.processors(),
    "numa_nodes": lambda os: os.numa_nodes(),
    "runs_on": lambda os: os.runs_on(1),
    "memory_available": lambda os: os.memory_available(),
    "memory_total": lambda os: os.memory_total(),
    "disks": lambda os: os.disks(),
    "disk_drivers": lambda os: os.disk_drivers("vda"),
    "root_device": lambda os: os.root_device(),
    "nics": lambda os: os.nics(),
    "smbios": lambda os: os.smbios("sys_vendor"),
    "pci_devices": lambda os: os.pci_devices(),
    "usb_devices": lambda os: os.usb_devices(),
    "virtio_drivers": lambda os: os.virtio_drivers(),
    "virtio_ports": lambda os: os.virtio_ports(),
    "default_routes": lambda os: os.default_routes(),
    "resolve": lambda os: os.resolve("host.test"),
    "identity": lambda os: os.identity(),
    "secure_boot": lambda os: os.secure_boot(),
    "tpm_version": lambda os: os.tpm_version(),
    "tpm_exchange": lambda os: os.tpm_exchange(b"x"),
    "has_boot_argument": lambda os: os.has_boot_argument("quiet"),
    "uefi_variable": lambda os: os.uefi_variable("Mark", "vendor"),
    "root_is_writable": lambda os: os.root_is_writable(),
    "read_file": lambda os: os.read_file("name"),
    "markers_on_disk": lambda os: os.markers_on_disk(),
    "markers_in_memory": lambda os: os.markers_in_memory(),
    "fill_file": lambda os: os.fill_file("mark"),
    "disk_holds": lambda os: os.disk_holds("mark", start=0, mebibytes=1),
    "bytes_not_zero": lambda os: os.bytes_not_zero("vda", 1),
    "prepare_hibernation": lambda os: os.prepare_hibernation("GC-SWAP"),
    "enable_hibernation": lambda os: os.enable_hibernation("GC-SWAP"),
    "start_program": lambda os: os.start_program(program("counting"), "count-1", []),
    "program_output": lambda os: os.program_output("count-1", limit=99),
    "load": lambda os: os.load(),
    "runs": lambda os: os.runs("x"),
    "os_release": lambda os: os.os_release(),
    "packages": lambda os: os.packages(limit=100),
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
    *(
        "add_boot_argument",
        "install_program",
        "stop_program",
        "crash",
        "fresh_copy",
        "hang",
        "has_acpi_driver",
    ),
    *("has_marker_file", "is_uefi", "write_file", "knows_firmware", "lasting", "write_marker"),
    *("load_driver", "log_rules", "power_off", "random_mebibyte", "reboot", "recent_log", "saying"),
    *("set_uefi_variable", "succeeding", "sync", "unload_driver"),
}
"""Operations of which nothing but the exit status is read, or nothing is asked."""


def saying(text: bytes) -> LinuxOs:
    def run(arguments: Sequence[str], *, stdin: bytes = b"", seconds: float = 30) -> CommandResult:
        return CommandResult(tuple(arguments), 0, text, b"")

    return LinuxOs(run)


def test_every_answer_is_tried() -> None:
    operations = {name for name in dir(GuestOs) if not name.startswith("_")}
    assert operations - ANSWERLESS <= set(ASKED)


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


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["ifname", "addr_info", "local", "prefixlen", "gateway"]), inner
        )
    ),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None)
@given(value=st.lists(json_values, max_size=3))
def test_whatever_a_list_holds_nothing_else_is_raised(value: object) -> None:
    text = json.dumps(value).encode()
    for ask in (ASKED["default_routes"], lambda os: os._addresses()):
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
    guest.os.nics.return_value = []
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
    guest.os.program_output.return_value = output + "\n"
    with pytest.raises(error):
        Counter(RunningProgram(guest, "counting-1", 1, False)).value()
