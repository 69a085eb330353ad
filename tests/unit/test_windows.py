"""What a Windows guest says of itself, read from read_file answers, sound and unsound ones."""

from __future__ import annotations

import base64
import inspect

import pytest

from harness.errors import ChannelError, NotApplicable
from harness.guests.linux import LinuxOs
from harness.guests.log_records import LogLine
from harness.guests.log_rules import FaultKind, Mark
from harness.guests.os import (
    Ending,
    GuestNic,
    GuestOs,
    Processor,
    Program,
)
from harness.guests.windows import WindowsOs
from harness.guests.windows.powershell import SCRIPTS, command
from harness.workloads.program import program
from tests.fakes.windows import RecordedWindows, values_of
from tests.unit.windows_operations import ACTS, EFI, FACTS, GIB, STARTS, asking, saying

SYSTEMS: tuple[type[GuestOs], ...] = (LinuxOs, WindowsOs)  # mypy holds both against the protocol

ELSEWHERE = {
    "log_rules",
    "kernel_log",
    "recent_log",
    "power_off",
    "reboot",
    "succeeding",
    "saying",
    "random_mebibyte",
    "lasting",
    "install_program",
    "stop_program",
}
"""Operations that have a test of their own."""


def operations() -> set[str]:
    return {name for name in dir(GuestOs) if not name.startswith("_")}


def test_every_operation_is_tested() -> None:
    assert len(operations()) > 60, "the control: there are operations"
    assert operations() == set(FACTS) | set(ACTS) | set(STARTS) | ELSEWHERE


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_operation_is_implemented_with_the_same_arguments(system: type[GuestOs]) -> None:
    for name in operations() - {"log_rules", "recent_log"}:
        wanted = inspect.signature(getattr(GuestOs, name))
        assert inspect.signature(getattr(system, name)) == wanted, name
        assert getattr(system, name) is not getattr(GuestOs, name)


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
    old.power_off()
    old.reboot()
    assert [program[:2] for program in run.programs] == [
        ("shutdown.exe", "/s"),
        ("shutdown.exe", "/r"),
    ]
    with pytest.raises(ChannelError, match="ended with 5: 'denied'"):
        asking(exit_status=5)[0].power_off()


def test_the_log_has_levels_and_is_told_in_order() -> None:
    os, _ = asking()
    log = os.kernel_log()
    assert [line.level for line in log] == [6, 6, 6, 6, 4, 3, 6]
    assert os.log_rules.shows(Mark.BOOT, log[:1])
    assert log[-2] == LogLine(
        3,
        "Service Control Manager 7000: The example service failed to start due to the following "
        "error: The system cannot find the file specified.",
    )
    assert os.log_rules.shows(Mark.MOUNTED, log)
    unmounted = [line for line in log if not line.text.startswith("Microsoft-Windows-Ntfs 98:")]
    assert not os.log_rules.shows(Mark.MOUNTED, unmounted)
    assert os.log_rules.faults(log) == []


def test_what_went_wrong_is_told_by_numbers_in_any_language() -> None:
    os, _ = asking("windows-11")
    log, rules = os.kernel_log(), os.log_rules
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
    assert not os.ended_cleanly(b"reboot: Power down", Ending.POWER_OFF)


def test_boot_153_is_no_retry_of_a_disk() -> None:
    os, _ = asking()
    log = [line for line in os.kernel_log() if "Kernel-Boot 153" in line.text]
    assert len(log) == 1
    assert os.log_rules.faults(log) == []


def test_processors_and_nodes_have_their_places() -> None:
    os, _ = asking("windows-11")
    assert os.processors() == [
        Processor(0, 0, 0, "0,1"),
        Processor(1, 0, 0, "0,1"),
        Processor(2, 0, 1, "2,3"),
        Processor(3, 0, 1, "2,3"),
        Processor(4, 1, 0, "4,5"),
        Processor(5, 1, 0, "4,5"),
        Processor(6, 1, 1, "6,7"),
        Processor(7, 1, 1, "6,7"),
    ]
    # What the table says not to be in use is nobody's memory.
    assert os.numa_nodes() == {0: (4, 2 * GIB), 1: (4, 2 * GIB)}


def test_names_may_be_in_any_script() -> None:
    (nic,) = asking("windows-11")[0].nics()
    assert nic == GuestNic("Ethernet 日本語 🦉", "52:54:00:ab:cd:ef", "e1000e", ("169.254.7.9/16",))


def test_windows_11_tells_of_its_firmware_and_of_what_it_waits_for() -> None:
    os, _ = asking("windows-11")
    assert os.secure_boot()
    assert os.tpm_version() == 2
    assert os.settled() == "the services wuauserv, BITS"
    assert os.startup() == (0.0, 0.0)
    assert os.resolve("no-such-host.guestcert") == []
    assert [disk.driver for disk in os.disks()] == ["nvme"]


def test_windows_7_answers_as_far_as_it_can() -> None:
    run = RecordedWindows("windows-7-sp1")
    os = WindowsOs(run, (6, 1))
    assert os.boot_id() == "20261125021109.500000+060 6c1b3b9e-8f8d-4a63-8f37-14f6d1b8e27d"
    assert not os.is_uefi()
    assert os.uefi_variable("BootOrder", EFI) == b""
    assert os.smbios("bios_vendor") == "SeaBIOS"
    assert os.missing_flags({"sse2", "avx2"}) == set(), "its kernel denies avx2 to everyone"
    mount = LogLine(6, "Microsoft-Windows-FilterManager 6: File System Filter 'luafv'")
    assert os.log_rules.shows(Mark.MOUNTED, [mount])
    assert not WindowsOs(run, (6, 2)).log_rules.shows(Mark.MOUNTED, [mount])
    with pytest.raises(NotApplicable, match="none of these"):
        os.missing_flags({"avx2", "unheard-of"})


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("fill_file", "Invalid namespace"),
        ("secure_boot", "Confirm-SecureBootUEFI"),
        ("virtio_ports", "Get-CimInstance"),
        ("disks", "Invalid namespace"),
    ],
)
def test_what_windows_7_lacks_is_not_applicable(name: str, lacking: str) -> None:
    ask = (FACTS | ACTS)[name][0]
    with pytest.raises(NotApplicable, match=f"too old: {lacking}"):
        ask(WindowsOs(RecordedWindows("windows-7-sp1"), (6, 1)))


def test_a_windows_without_powershell_is_asked_nothing() -> None:
    run = RecordedWindows("server-2022")
    with pytest.raises(NotApplicable, match="no PowerShell"):
        WindowsOs(run, (6, 0)).boot_id()
    assert run.asked == []
    assert WindowsOs(run).uptime() == 754.321, "one that nobody knows is asked"


def test_a_file_that_is_gone_is_told_in_windows_own_words() -> None:
    assert "Could not find file" in asking()[0].read_file("gone")


def test_a_program_is_carried_into_windows_with_its_arguments_as_values() -> None:
    os, run = asking()
    os.install_program(program("echo_client"))
    assert os.start_program(program("echo_client"), "echo-1", ["10.0.0.1", "7"]) == 4242
    ((detach, inner, *values),) = run.asked
    assert (detach, values) == ("detach", ["echo-1", "10.0.0.1", "7"])
    text = base64.b64decode(inner).decode("utf-16-le")
    assert "function Write-Event" in text
    assert text.rstrip().endswith("Write-Event 'lost' $reason")
    os.stop_program(4242)
    assert run.programs == [("taskkill.exe", "/f", "/pid", "4242")]
    with pytest.raises(NotApplicable, match="network_prober has no version for Windows"):
        os.install_program(program("network_prober"))


def test_programs_for_cases_of_running_programs() -> None:
    os, _ = asking()
    said = os.saying("out", "", status=42)
    assert said.arguments == command("saying")
    assert values_of(said.stdin) == ("out", "", "42")
    assert os.random_mebibyte() == Program(command("mebibyte"))
    assert os.succeeding().arguments[0] == "cmd.exe"
    assert os.lasting("a-word").arguments[-1] == "a-word"
    assert os.recent_log == command("recent")


def test_a_string_that_cim_does_not_have_is_not_applicable() -> None:
    with pytest.raises(NotApplicable, match="no CIM class has chassis_tag"):
        asking()[0].smbios("chassis_tag")
    with pytest.raises(ChannelError, match="no instance of Win32_BIOS"):
        saying({"answer": []}).smbios("bios_vendor")
    with pytest.raises(ChannelError, match="no disk PhysicalDrive7"):
        asking()[0].disk_drivers("PhysicalDrive7")
