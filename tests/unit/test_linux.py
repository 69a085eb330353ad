"""The OS interface of a Linux guest, over scripted answers."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.channels.base import CommandResult
from harness.errors import ChannelError, HarnessError, NotApplicable
from harness.guests.linux.system import LinuxOs
from harness.guests.log_records import LogLine
from harness.guests.log_rules import LogRules
from harness.guests.os.cpus import Processor
from harness.guests.os.disks import GuestDisk
from harness.guests.os.lifecycle import Ending
from harness.guests.text import LINE_LIMIT, TEXT_LIMIT
from harness.profiles.model import System


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
    assert saying(listed).cpus.online() == count


def test_memory_is_told_in_bytes() -> None:
    assert saying("MemFree: 5 kB\nMemTotal:   1000 kB\n").memory.total() == 1024_000
    with pytest.raises(ChannelError, match="MemTotal"):
        saying("nothing of the kind").memory.total()


def test_disks_are_listed() -> None:
    disks = saying("vda|GC-ROOT|2048|virtio_blk\nsda||16|sd\n").disks.all()
    assert disks == [
        GuestDisk("vda", "GC-ROOT", 1048576, "virtio_blk"),
        GuestDisk("sda", "", 8192, "sd"),
    ]


def test_a_line_of_other_form_is_an_error() -> None:
    with pytest.raises(ChannelError, match="not 4 columns"):
        saying("vda|x|y|1|2|3").disks.all()


def test_the_kernel_log_has_levels() -> None:
    log = saying("<6>[0.0] Linux version\n<12>[1.0] user's\n its second line\n").log.lines()
    assert log == [
        LogLine(6, "[0.0] Linux version"),
        LogLine(4, "[1.0] user's"),
        LogLine(4, " its second line"),
    ]


def test_freebsd_s_log_is_read_without_levels() -> None:
    rules = LogRules.of(System.FREEBSD)
    linux = LinuxOs(
        saying("Copyright (c) 1992-2024 The FreeBSD Project.\n<118>dhclient")._run, rules
    )
    assert [line.level for line in linux.log.lines()] == [6, 6]
    assert linux.log.rules is rules


def test_a_log_of_any_size_is_cut_before_it_is_looked_at() -> None:
    log = saying("<4>" + "x" * 8_000_000).log.lines()
    assert sum(len(line.text) for line in log) <= LINE_LIMIT
    flood = saying("<4>old\n" + "<4>[1.0] flood\n" * 400_000 + "<4>new\n").log.lines()
    assert sum(len(line.text) for line in flood) <= TEXT_LIMIT
    assert flood[-1].text == "new"


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ("/sys/bus/acpi/drivers/vmgenid", True),
        ("/sys/bus/platform/drivers/vmgenid", True),
        ("/sys/bus/pci/drivers/vmgenid", False),
    ],
)
def test_a_device_of_acpi_may_have_a_platform_driver(there: str, found: bool) -> None:
    def run(arguments: Sequence[str], *, stdin: bytes = b"", seconds: float = 30) -> CommandResult:
        return CommandResult(tuple(arguments), int(arguments[-1] != there), b"", b"")

    assert LinuxOs(run).devices.has_acpi_driver("vmgenid") is found


ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0103D90A\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0003D90A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0
tun0\t00000000\t0103D90A\t0003\t0\t0\t0\t00000080\t0\t0\t0
"""
"""A default route, one without a gateway, and half the world by way of a VPN."""


def test_gateways_are_those_of_the_default_routes() -> None:
    assert saying(ROUTES).network.default_routes() == ["10.217.3.1"]
    assert saying(ROUTES.splitlines()[0]).network.default_routes() == []


@pytest.mark.parametrize("line", ["eth0", "eth0 00000000 0103 3 0 0 0 00000000"])
def test_a_table_of_routes_that_cannot_be_read_is_an_error(line: str) -> None:
    with pytest.raises(ChannelError, match="route"):
        saying(f"{ROUTES.splitlines()[0]}\n{line}\n").network.default_routes()


IPROUTE2_4 = """\
1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
2: eth0    inet 10.217.3.17/24 brd 10.217.3.255 scope global dynamic eth0\\       valid_lft 3s
2: eth0    inet6 fd00:1::17/64 scope global \\       valid_lft forever preferred_lft forever
3: tun0    inet 10.8.0.2 peer 10.8.0.1/30 scope global tun0\\       valid_lft forever
"""
BUSYBOX = """\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000\\    link/loopback 00:00:00:00:00:00
1: lo    inet 127.0.0.1/8 scope host lo
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc pfifo_fast qlen 1000\\    link/ether 52:54
2: eth0    inet 10.217.3.17/24 brd 10.217.3.255 scope global eth0
2: eth0    inet6 fd00:1::17/64 scope global dynamic flags 100
3: tun0    inet 10.8.0.2 peer 10.8.0.1/30 scope global tun0
"""


@pytest.mark.parametrize("printed", [IPROUTE2_4, BUSYBOX], ids=["iproute2", "busybox"])
def test_addresses_are_read_as_old_and_small_tools_print_them(printed: str) -> None:
    cards = "eth0|52:54:00:00:00:01|virtio_net\ntun0||\neth1|52:54:00:00:00:02|e1000\n"
    nics = {nic.name: nic.addresses for nic in saying(cards, printed).network.nics()}
    assert nics == {
        "eth0": ("10.217.3.17/24", "fd00:1::17/64"),
        "tun0": ("10.8.0.2/30",),
        "eth1": (),
    }


def test_an_address_that_is_none_is_an_error() -> None:
    with pytest.raises(ChannelError, match=r"lists the address '10\.0\.0\.999/24'"):
        saying("eth0|52:54:00:00:00:01|virtio_net\n", "2: eth0 inet 10.0.0.999/24 x").network.nics()


def test_a_name_that_is_unknown_has_no_address() -> None:
    assert saying("", exit_status=2).network.resolve("nowhere.test") == []
    both = saying("10.0.0.1 STREAM x\n10.0.0.1 DGRAM\nfd00::1 STREAM\n")
    assert both.network.resolve("host.test") == ["10.0.0.1", "fd00::1"]


def test_processors_and_nodes_are_listed_with_their_places() -> None:
    assert saying("0|0|0|0-1\n1|0|0|0-1\n").cpus.topology() == [
        Processor(0, 0, 0, "0-1"),
        Processor(1, 0, 0, "0-1"),
    ]
    assert saying("0|0-1|1000\n1|2|500\n").cpus.numa_nodes() == {0: (2, 1024_000), 1: (1, 512_000)}
    assert saying("0|0-1|1000\n1||500\n").cpus.numa_nodes() == {0: (2, 1024_000), 1: (0, 512_000)}
    assert saying("0|-1|-1|0\n").cpus.topology() == [Processor(0, -1, -1, "0")]
    with pytest.raises(ChannelError, match="not 4 columns"):
        saying("0|0").cpus.topology()


def test_interrupts_of_all_processors_are_added_up() -> None:
    table = "           CPU0       CPU1\n  1:   5   6  IO-APIC\nNMI:   2   3   Non-maskable\n"
    assert saying(table).interrupts("NMI") == 5
    with pytest.raises(ChannelError, match="counts no LOC"):
        saying(table).interrupts("LOC")


def test_a_device_without_a_driver_is_listed_too() -> None:
    assert saying("virtio_net\n-\nvirtio_blk\n").devices.virtio_drivers() == [
        "-",
        "virtio_blk",
        "virtio_net",
    ]


@pytest.mark.parametrize(
    ("state", "awaited"),
    [("running\n", ""), ("degraded\n", ""), ("", ""), ("starting\n", "systemd starting")],
)
def test_what_start_up_waits_for_is_told_by_systemd(state: str, awaited: str) -> None:
    assert saying(state).lifecycle.settled() == awaited


def test_a_clean_end_is_what_the_kernel_says_last() -> None:
    linux = saying()
    assert linux.lifecycle.ended_cleanly(b"[9.0] reboot: Restarting system\r\n", Ending.REBOOT)
    assert not linux.lifecycle.ended_cleanly(
        b"[9.0] reboot: Restarting system\r\n", Ending.POWER_OFF
    )
    assert linux.lifecycle.ended_cleanly(b"[9.0] reboot: Power down\r\n", Ending.POWER_OFF)
    assert not linux.lifecycle.ended_cleanly(b"login: ", Ending.REBOOT)


@pytest.mark.parametrize("stamp", [b"", b"[  157.04] ", b"[  157.04][    T1] "])
@pytest.mark.parametrize(
    ("line", "ending"),
    [
        (b"reboot: Power down", Ending.POWER_OFF),
        (b"Power down.", Ending.POWER_OFF),  # before Linux 3.11
        (b"reboot: Restarting system", Ending.REBOOT),
        (b"Restarting system.", Ending.REBOOT),
        (b"reboot: Restarting system with command 'x'", Ending.REBOOT),
    ],
)
def test_a_clean_end_is_told_by_old_and_new_kernels(
    stamp: bytes, line: bytes, ending: Ending
) -> None:
    output = b"the system goes down\r\n" + stamp + line + b"\r\n"
    for asked in Ending:
        assert saying().lifecycle.ended_cleanly(output, asked) is (asked is ending)


def test_a_clean_end_may_follow_other_output_in_its_line() -> None:
    for output in (b"login: reboot: Power down\r\n", b"login: [  157.04] Power down.\r\n"):
        assert saying().lifecycle.ended_cleanly(output, Ending.POWER_OFF)


@pytest.mark.parametrize(
    "line",
    [b"Will power down.", b"reboot: System halted", b"Power down in 5 s", b"Restarting system log"],
)
def test_other_lines_are_no_clean_end(line: bytes) -> None:
    output = b"[  157.04] " + line + b"\r\n"
    assert not any(saying().lifecycle.ended_cleanly(output, ending) for ending in Ending)


def test_flags_are_compared_by_the_kernel_s_names() -> None:
    linux = saying("flags\t\t: fpu sse4_1\n")
    assert linux.cpus.missing_flags({"sse4.1", "fpu", "avx"}) == {"avx"}


def test_swap_is_used_only_where_the_kernel_was_told_to_look_for_it() -> None:
    disks = "vda|GC-ROOT|2048|virtio_blk\nvdb|GC-SWAP|2048|virtio_blk\n"
    assert saying(disks, "root=/dev/vda1 resume=/dev/vdb quiet\n", "").hibernation.enable("GC-SWAP")
    # Nothing more is answered, and nothing more is asked.
    assert not saying(disks, "root=/dev/vda1 quiet\n").hibernation.enable("GC-SWAP")


def test_the_mount_options_are_whole_words() -> None:
    assert saying("rw,relatime\n").files.root_is_writable()
    assert not saying("ro,errors=remount-rw\n").files.root_is_writable()


def test_a_boot_argument_is_plain() -> None:
    with pytest.raises(HarnessError, match="not a plain kernel argument"):
        saying().firmware.add_boot_argument("quiet|e id")


def run_here(arguments: Sequence[str], *, stdin: bytes = b"", seconds: float = 30) -> CommandResult:
    """Runs it in a shell of this host, but for files of the guest's kernel."""
    own = [argument.replace("/sys/firmware/efi/efivars", str(Path.cwd())) for argument in arguments]
    ended = subprocess.run(own, input=stdin, capture_output=True, timeout=seconds, check=False)
    return CommandResult(tuple(own), ended.returncode, ended.stdout, ended.stderr)


def test_a_variable_is_written_with_its_attributes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    linux = LinuxOs(run_here)
    data = bytes(range(256))
    linux.firmware.set_variable("Mark", "vendor", data)
    assert (tmp_path / "Mark-vendor").read_bytes() == b"\7\0\0\0" + data
    assert linux.firmware.variable("Mark", "vendor") == data
    assert linux.firmware.variable("Nothing", "vendor") == b""


def test_programs_for_cases_do_what_they_are_for() -> None:
    linux = LinuxOs(run_here)
    result = run_here(linux.programs.saying("$HOME", "`id`", status=42).arguments)
    assert (result.output, result.errors, result.exit_status) == (b"$HOME\n", b"`id`\n", 42)
    assert run_here(linux.programs.succeeding().arguments).exit_status == 0
    bytes_ = run_here(linux.programs.random_mebibyte().arguments)
    assert hashlib.sha256(bytes_.output).hexdigest() == bytes_.error_text.split()[0]
    assert len(bytes_.output) == 2**20
    assert linux.programs.lasting("a-word").arguments[-1] == "a-word"


def test_a_host_name_that_an_image_sets_itself_makes_no_two_guests_one() -> None:
    def guest(number: int) -> LinuxOs:
        key, card = f"ssh-ed25519 AAAA{number} root@appliance", f"eth0|52:54:00:0:0:{number}|virtio"
        return saying(f"{number:032x}\n", f"{key}\n", f"{card}\n", "[]")

    first, second = (guest(number).network.identity() for number in (1, 2))

    assert set(first) == {"machine id", "host keys", "MAC addresses"}
    assert all(first.values())
    assert not [what for what, value in first.items() if value & second[what]]


SYSTEMCTL = """#!/bin/sh
case "$*" in
"cat kdump.service" | "enable kdump.service") exit 0 ;;
"list-units --failed"*) echo "a.service loaded failed failed A" ;;
*) exit 1 ;;
esac
"""


def linux_with(folder: Path, *programs: Path) -> LinuxOs:
    """This machine as a guest that has the shell, and these programs only."""
    for program in (Path("/bin/sh"), *programs):
        (folder / program.name).symlink_to(program)

    def run(arguments: Sequence[str], *, stdin: bytes = b"", seconds: float = 30) -> CommandResult:
        path = {"PATH": str(folder)}
        done = subprocess.run(list(arguments), capture_output=True, check=False, env=path)
        return CommandResult(tuple(arguments), done.returncode, done.stdout, done.stderr)

    return LinuxOs(run)


def test_services_are_systemd_s(tmp_path: Path) -> None:
    systemctl, folder = tmp_path / "systemctl", tmp_path / "bin"
    systemctl.write_text(SYSTEMCTL)
    systemctl.chmod(0o755)
    folder.mkdir()
    services = linux_with(folder, systemctl).services
    assert services.failed() == ["a.service"]
    assert services.exists("kdump.service")
    assert services.enable("kdump.service")
    assert not services.exists("kdump-tools.service")


def test_services_of_another_init_system_do_not_apply(tmp_path: Path) -> None:
    linux = linux_with(tmp_path)
    for ask in (linux.services.failed, linux.services.running):
        with pytest.raises(NotApplicable, match="init system is not systemd"):
            ask()
    with pytest.raises(NotApplicable, match="init system is not systemd"):
        linux.services.exists("kdump.service")
