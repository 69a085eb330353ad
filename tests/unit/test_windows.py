"""The OS interface of a Windows guest, over kept answers."""

from __future__ import annotations

import base64
import inspect
from collections.abc import Callable

import pytest

from harness.errors import ChannelError, NotApplicable
from harness.guests.linux.system import LinuxOs
from harness.guests.log_records import LogLine
from harness.guests.log_rules import FaultKind, Mark
from harness.guests.os.contract import GuestOs
from harness.guests.os.cpus import Processor
from harness.guests.os.lifecycle import Ending
from harness.guests.os.network import GuestNic
from harness.guests.program import Program
from harness.guests.runner import Runner
from harness.guests.windows.powershell import SCRIPTS, command
from harness.guests.windows.system import WindowsOs
from harness.workloads.program import program
from tests.fakes.windows import RecordedWindows, values_of
from tests.unit.windows_operations import ACTS, EFI, FACTS, GIB, STARTS, asking, operations, saying

SYSTEMS: tuple[Callable[[Runner], GuestOs], ...] = (
    LinuxOs,
    WindowsOs,
)  # mypy holds both against the protocol

ELSEWHERE = {
    "log.rules",
    "log.lines",
    "log.recent",
    "lifecycle.power_off",
    "lifecycle.reboot",
    "programs.succeeding",
    "programs.saying",
    "programs.random_mebibyte",
    "programs.lasting",
    "background.install",
    "background.stop",
}
"""Operations that have a test of their own."""


def test_every_operation_is_tested() -> None:
    assert len(operations()) > 60, "the control: there are operations"
    assert set(operations()) == set(FACTS) | set(ACTS) | set(STARTS) | ELSEWHERE


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_operation_is_implemented_with_the_same_arguments(
    system: Callable[[Runner], GuestOs],
) -> None:
    made = system(RecordedWindows("server-2022"))
    for name, contract in operations().items():
        topic, _, operation = name.partition(".")
        wanted = getattr(contract, operation)
        implemented = getattr(made, topic)
        assert operation in dir(implemented), name
        if inspect.isfunction(wanted):
            method = getattr(type(implemented), operation)
            assert inspect.signature(method) == inspect.signature(wanted), name
            assert method is not wanted


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_is_read(name: str) -> None:
    ask, expected = FACTS[name]
    answer = ask(asking()[0])
    assert answer == expected
    assert type(answer) is type(expected)


@pytest.mark.parametrize("name", ACTS)
def test_an_act_is_a_script_with_values(name: str) -> None:
    act, expected = ACTS[name]
    os, run = asking()
    assert act(os) is None
    assert run.asked == [expected]


@pytest.mark.parametrize("name", STARTS)
def test_what_goes_on_by_itself_is_started_detached(name: str) -> None:
    start, (script, *values) = STARTS[name]
    os, run = asking()
    start(os)
    ((detach, inner, *given_values),) = run.asked
    assert detach == "detach"
    assert given_values == values
    text = base64.b64decode(inner).decode("utf-16-le")
    assert text.strip().splitlines()[-1] in source(script)


def source(script: str) -> str:
    return (SCRIPTS / f"{script}.ps1").read_text(encoding="ascii")


def test_power_off_and_reboot_are_asked_of_a_program_that_every_windows_has() -> None:
    run = RecordedWindows("server-2022")
    old = WindowsOs(run, (5, 1))
    old.lifecycle.power_off()
    old.lifecycle.reboot()
    assert [program[:2] for program in run.programs] == [
        ("shutdown.exe", "/s"),
        ("shutdown.exe", "/r"),
    ]
    with pytest.raises(ChannelError, match="ended with 5: 'denied'"):
        asking(exit_status=5)[0].lifecycle.power_off()


def test_the_log_has_levels_and_is_told_in_order() -> None:
    os, _ = asking()
    log = os.log.lines()
    assert [line.level for line in log] == [6, 6, 6, 6, 4, 3, 6]
    assert os.log.rules.shows(Mark.BOOT, log[:1])
    assert log[-2] == LogLine(
        3,
        "Service Control Manager 7000: The example service failed to start due to the following "
        "error: The system cannot find the file specified.",
    )
    assert os.log.rules.shows(Mark.MOUNTED, log)
    unmounted = [line for line in log if not line.text.startswith("Microsoft-Windows-Ntfs 98:")]
    assert not os.log.rules.shows(Mark.MOUNTED, unmounted)
    assert os.log.rules.faults(log) == []


def test_what_went_wrong_is_told_by_numbers_in_any_language() -> None:
    os, _ = asking("windows-11")
    log, rules = os.log.lines(), os.log.rules
    assert log[1].level == 2
    named = [line.partition(":")[0] for line in rules.faults(log, level=0)]
    assert named == ["disk 153", "Microsoft-Windows-WER-SystemErrorReporting 1001"]
    assert len(rules.faults(log)) == 3, "what is critical counts for its level alone"
    assert len(rules.found(FaultKind.DAMAGE, log)) == len(rules.found(FaultKind.LOCKUP, log)) == 1
    assert rules.shows(Mark.SLEPT, log)
    assert not rules.shows(Mark.REPAIRED, log)
    assert rules.found(FaultKind.KILLED, log) == []
    assert "Der E/A-Vorgang" in log[3].text
    assert "für den Datenträger" in log[3].text
    assert not os.lifecycle.ended_cleanly(b"reboot: Power down", Ending.POWER_OFF)


def test_boot_153_is_no_retry_of_a_disk() -> None:
    os, _ = asking()
    log = [line for line in os.log.lines() if "Kernel-Boot 153" in line.text]
    assert len(log) == 1
    assert os.log.rules.faults(log) == []


def test_processors_and_nodes_have_their_places() -> None:
    os, _ = asking("windows-11")
    assert os.cpus.topology() == [
        Processor(0, 0, 0, "0,1"),
        Processor(1, 0, 0, "0,1"),
        Processor(2, 0, 1, "2,3"),
        Processor(3, 0, 1, "2,3"),
        Processor(4, 1, 0, "4,5"),
        Processor(5, 1, 0, "4,5"),
        Processor(6, 1, 1, "6,7"),
        Processor(7, 1, 1, "6,7"),
    ]
    # An entry of the table that is not in use is not memory.
    assert os.cpus.numa_nodes() == {0: (4, 2 * GIB), 1: (4, 2 * GIB)}


def test_names_may_be_in_any_script() -> None:
    (nic,) = asking("windows-11")[0].network.nics()
    assert nic == GuestNic("Ethernet 日本語 🦉", "52:54:00:ab:cd:ef", "e1000e", ("169.254.7.9/16",))


def test_windows_11_tells_of_its_firmware_and_of_what_it_waits_for() -> None:
    os, _ = asking("windows-11")
    assert os.firmware.secure_boot()
    assert os.tpm.version() == 2
    assert os.lifecycle.settled() == "the services wuauserv, BITS"
    assert os.lifecycle.startup() == (0.0, 0.0)
    assert os.network.resolve("no-such-host.guestcert") == []
    assert [disk.driver for disk in os.disks.all()] == ["nvme"]


def test_windows_7_answers_as_far_as_it_can() -> None:
    run = RecordedWindows("windows-7-sp1")
    os = WindowsOs(run, (6, 1))
    assert (
        os.lifecycle.boot_id() == "20261125021109.500000+060 6c1b3b9e-8f8d-4a63-8f37-14f6d1b8e27d"
    )
    assert not os.firmware.is_uefi()
    assert os.firmware.variable("BootOrder", EFI) == b""
    assert os.devices.smbios("bios_vendor") == "SeaBIOS"
    assert os.cpus.missing_flags({"sse2", "avx2"}) == set(), "its kernel denies avx2 to everyone"
    mount = LogLine(6, "Microsoft-Windows-FilterManager 6: File System Filter 'luafv'")
    assert os.log.rules.shows(Mark.MOUNTED, [mount])
    assert not WindowsOs(run, (6, 2)).log.rules.shows(Mark.MOUNTED, [mount])
    with pytest.raises(NotApplicable, match="none of these"):
        os.cpus.missing_flags({"avx2", "unheard-of"})


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("disks.fill_file", "Invalid namespace"),
        ("firmware.secure_boot", "Confirm-SecureBootUEFI"),
        ("devices.virtio_ports", "Get-CimInstance"),
        ("disks.all", "Invalid namespace"),
    ],
)
def test_what_windows_7_lacks_is_not_applicable(name: str, lacking: str) -> None:
    ask = (FACTS | ACTS)[name][0]
    with pytest.raises(NotApplicable, match=f"too old: {lacking}"):
        ask(WindowsOs(RecordedWindows("windows-7-sp1"), (6, 1)))


def test_a_windows_without_powershell_is_asked_nothing() -> None:
    run = RecordedWindows("server-2022")
    with pytest.raises(NotApplicable, match="no PowerShell"):
        WindowsOs(run, (6, 0)).lifecycle.boot_id()
    assert run.asked == []
    assert WindowsOs(run).lifecycle.uptime() == 754.321, "one that nobody knows is asked"


def test_a_file_that_is_gone_is_told_in_windows_own_words() -> None:
    assert "Could not find file" in asking()[0].files.content("gone")


def test_a_program_is_carried_into_windows_with_its_arguments_as_values() -> None:
    os, run = asking()
    os.background.install(program("echo_client"))
    assert os.background.start(program("echo_client"), "echo-1", ["10.0.0.1", "7"]) == 4242
    ((detach, inner, *values),) = run.asked
    assert (detach, values) == ("detach", ["echo-1", "10.0.0.1", "7"])
    text = base64.b64decode(inner).decode("utf-16-le")
    assert "function Write-Event" in text
    assert text.rstrip().endswith("Write-Event 'lost' $reason")
    os.background.stop(4242)
    assert run.programs == [("taskkill.exe", "/f", "/pid", "4242")]
    with pytest.raises(NotApplicable, match="network_prober has no version for Windows"):
        os.background.install(program("network_prober"))


def test_programs_for_cases_of_running_programs() -> None:
    os, _ = asking()
    reply = os.programs.saying("out", "", status=42)
    assert reply.arguments == command("saying")
    assert values_of(reply.stdin) == ("out", "", "42")
    assert os.programs.random_mebibyte() == Program(command("mebibyte"))
    assert os.programs.succeeding().arguments[0] == "cmd.exe"
    assert os.programs.lasting("a-word").arguments[-1] == "a-word"
    assert os.log.recent == command("recent")


def test_a_string_that_cim_does_not_have_is_not_applicable() -> None:
    with pytest.raises(NotApplicable, match="no CIM class has chassis_tag"):
        asking()[0].devices.smbios("chassis_tag")
    with pytest.raises(ChannelError, match="no instance of Win32_BIOS"):
        saying({"answer": []}).devices.smbios("bios_vendor")
    with pytest.raises(ChannelError, match="no disk PhysicalDrive7"):
        asking()[0].disks.drivers("PhysicalDrive7")
