from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.channels.console import Console
from harness.errors import GuestCrashed, HarnessError
from harness.events import EventKind, EventLog
from harness.guests.crash_watch import LONGEST_LINE, CrashWatch
from harness.guests.log_rules import LogRules
from harness.hypervisors.definitions import Accelerator
from harness.profiles.model import System

TIMER = b"Kernel panic - not syncing: IO-APIC + timer doesn't work!  Boot with apic=debug\r\n"


class Speaker:
    """A guest that prints on its console."""

    def __init__(self, log: Path) -> None:
        self._end, local = socket.socketpair()
        self.console = Console(local, log)

    def write(self, words: bytes) -> None:
        position = self.console.position
        self._end.sendall(words)
        self.console.read_after(position, 10)

    def close(self) -> None:
        self._end.close()
        self.console.close()


@pytest.fixture
def speaker(tmp_path: Path) -> Iterator[Speaker]:
    speaker = Speaker(tmp_path / "console.log")
    yield speaker
    speaker.close()


def watching(
    speaker: Speaker, accelerator: Accelerator = Accelerator.KVM, system: System = System.LINUX
) -> CrashWatch:
    watch = CrashWatch(EventLog(), accelerator, LogRules.of(system).system.deaths)
    watch.follow(speaker.console)
    return watch


def test_a_living_guest_has_not_crashed(speaker: Speaker) -> None:
    watch = watching(speaker)
    speaker.write(b"login: Not a panic\r\n")
    watch()
    assert watch.found() is None


def test_last_words_are_a_crash(speaker: Speaker) -> None:
    watch = watching(speaker)
    speaker.write(b"Kernel panic - not syncing: sysrq triggered crash\r\n")
    with pytest.raises(GuestCrashed, match="sysrq triggered crash"):
        watch()


@pytest.mark.parametrize(
    "words",
    [
        "BUG: unable to handle page fault for address: ffffffffffffffd8",
        "Oops: 0002 [#1] PREEMPT SMP NOPTI",
        "Oops: Oops: 0002 [#1] PREEMPT SMP NOPTI",
        "Internal error: Oops: 0000000096000044 [#1] SMP",
        "general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP",
        "kernel BUG at mm/slub.c:305!",
        "invalid opcode: 0000 [#1] PREEMPT SMP NOPTI",
        "divide error: 0000 [#2] SMP",
        "unexpected #NM exception: 0000 [#1] PREEMPT_DYNAMIC SMP",
        "Oops: 0000 [#1]",
        "Oops: general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP",
        "Internal error: synchronous external abort: 0000000096000410 [#1] PREEMPT SMP",
        "Internal error: Oops: 17 [#1] PREEMPT SMP ARM",
        "Oops - BUG [#1]",
        "PANIC: early exception 0x0e IP 10:ffffffff8106a4d4 error 0 cr2 0xffffffffff200014",
        "PANIC: double fault, error_code: 0x0",
        "Decoding failed\r\n\r\n -- System halted",
        "Synchronous Exception at 0x00000000BF5E2A0C",
        "!!!! X64 Exception Type - 0E(#PF - Page-Fault)  CPU Apic ID - 00000000 !!!!",
    ],
)
def test_a_kernel_that_died_in_any_way_has_crashed(speaker: Speaker, words: str) -> None:
    watch = watching(speaker)
    speaker.write(f"[   12.345678] {words}\r\n".encode())
    with pytest.raises(GuestCrashed):
        watch()


@pytest.mark.parametrize(
    "words",
    [
        "traps: python3[412] general protection fault ip:7f12 sp:7ffd error:0 in libc.so.6",
        "python3[412]: segfault at 0 ip 00007f12 sp 00007ffd error 4 in libc.so.6",
        "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [dd:412]",
        "closes: 10234 [#88]",
        "rack: 4711 [#2]",
        "see issue: beef [#12] for more",
        "panic: runtime error: index out of range",
        "panic: vm_fault_lookup: fault on nofault entry",
        "reboot: System halted",
    ],
)
def test_a_program_that_died_or_held_up_the_kernel_is_no_crash(
    speaker: Speaker, words: str
) -> None:
    watch = watching(speaker)
    speaker.write(f"[   12.345678] {words}\r\n".encode())
    assert watch.found() is None


def test_what_was_said_before_it_is_followed_is_past(speaker: Speaker) -> None:
    watch = watching(speaker)
    speaker.write(b"Kernel panic - not syncing: sysrq triggered crash\r\n")
    assert watch.found() is not None
    watch.follow(speaker.console)
    watch()
    speaker.write(b"Linux version 6.1\r\n")
    watch()
    assert watch.found() is None


def test_the_panic_device_is_a_crash(speaker: Speaker) -> None:
    events = EventLog()
    watch = CrashWatch(events, Accelerator.KVM, ())
    events.add(EventKind.CRASHED)
    with pytest.raises(GuestCrashed, match="panic device"):
        watch()


def test_a_timer_that_the_host_starved_is_no_verdict_on_the_guest(speaker: Speaker) -> None:
    watch = watching(speaker, Accelerator.TCG)
    speaker.write(TIMER)
    with pytest.raises(HarnessError, match="too busy"):
        watch()


def test_the_same_words_under_kvm_are_the_guest_s(speaker: Speaker) -> None:
    watch = watching(speaker, Accelerator.KVM)
    speaker.write(TIMER)
    with pytest.raises(GuestCrashed, match="timer"):
        watch()


FREEBSD_DEATHS = [
    "Fatal trap 12: page fault while in kernel mode",
    "Fatal double fault",
    "panic: vm_fault_lookup: fault on nofault entry, addr: 0xfffffe0000000000",
    "panic: mountroot: unable to (re-)mount root.",
    "mountroot> ",
    "Automatic reboot in 15 seconds - press a key on the console to abort",
]


@pytest.mark.parametrize("words", FREEBSD_DEATHS)
def test_a_freebsd_kernel_s_death_is_noticed_and_is_none_of_linux(
    speaker: Speaker, words: str
) -> None:
    freebsd, linux = watching(speaker, system=System.FREEBSD), watching(speaker)
    speaker.write(f"Trying to mount root from ufs:/dev/vtbd0p2 [rw]...\r\n{words}".encode())
    with pytest.raises(GuestCrashed, match=re.escape(words.strip())):
        freebsd()
    assert linux.found() is None


@pytest.mark.parametrize(
    "words",
    [
        "panic: runtime error: index out of range [5] with length 3",
        "pid 812 (x), jid 0, uid 0: exited on signal 11",
        "the kernel could panic: it did not",
        "Kernel panic - not syncing: printed by nobody here",
    ],
)
def test_what_a_living_freebsd_says_is_no_death(speaker: Speaker, words: str) -> None:
    watch = watching(speaker, system=System.FREEBSD)
    speaker.write(f"{words}\r\n".encode())
    assert watch.found() is None


@pytest.mark.parametrize("system", System)
def test_the_firmware_s_death_is_every_system_s(speaker: Speaker, system: System) -> None:
    watch = watching(speaker, system=system)
    speaker.write(
        b"!!!! X64 Exception Type - 0D(#GP - General Protection)  CPU Apic ID - 0 !!!!\r\n"
    )
    assert watch.found() is not None


@pytest.mark.parametrize("cut", range(1, 41))
def test_last_words_in_two_reads_are_found_wherever_they_are_cut(
    speaker: Speaker, cut: int
) -> None:
    watch = watching(speaker)
    words = b"[    1.000000] Kernel panic - not syncing: x"
    speaker.write(b"Linux version\r\n" + words[:cut])
    found_early = watch.found()
    speaker.write(words[cut:] + b"\r\n")
    assert (found_early or watch.found() or "").startswith("Kernel panic - not syncing")


def test_the_rest_of_the_line_decides_whose_fault_it_was(speaker: Speaker) -> None:
    watch = watching(speaker, Accelerator.TCG)
    cut = TIMER.index(b"timer")
    speaker.write(TIMER[:cut])
    late = threading.Timer(0.2, speaker.write, [TIMER[cut:]])
    late.start()
    with pytest.raises(HarnessError, match="too busy"):
        watch()
    late.join()


def test_last_words_after_much_without_a_line_end_are_found(speaker: Speaker) -> None:
    for before in (LONGEST_LINE - 300, LONGEST_LINE - 20, LONGEST_LINE, 3 * LONGEST_LINE - 20):
        watch = watching(speaker)
        speaker.write(b"\r\n" + b"." * before)
        assert watch.found() is None
        speaker.write(b"Kernel panic - not syncing: x\r\n")
        assert watch.found() == "Kernel panic - not syncing: x"


def test_a_guest_that_dies_without_a_line_end_is_not_waited_for(speaker: Speaker) -> None:
    watch = watching(speaker)
    speaker.write(b"Kernel panic - not syncing: " + b"x" * 10_000)
    assert (watch.found() or "").startswith("Kernel panic - not syncing: xxx")


def test_what_a_flood_pushed_out_is_not_waited_for(speaker: Speaker) -> None:
    watch = watching(speaker)
    for _ in range(40):
        speaker.write(b"flood\r\n" * 9000)
    speaker.write(b"Kernel panic - not syncing: x\r\n")
    assert watch.found() == "Kernel panic - not syncing: x"
