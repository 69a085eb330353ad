from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.channels.console import Console
from harness.errors import GuestCrashed, HarnessError
from harness.events import EventKind, EventLog
from harness.guests.crash_watch import CrashWatch
from harness.hypervisors.definitions import Accelerator

TIMER = b"Kernel panic - not syncing: IO-APIC + timer doesn't work!  Boot with apic=debug\r\n"


class Speaker:
    """A guest that says things on its console."""

    def __init__(self, log: Path) -> None:
        self._end, ours = socket.socketpair()
        self.console = Console(ours, log)

    def say(self, words: bytes) -> None:
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


def watching(speaker: Speaker, accelerator: Accelerator = Accelerator.KVM) -> CrashWatch:
    watch = CrashWatch(EventLog(), accelerator)
    watch.follow(speaker.console)
    return watch


def test_a_living_guest_has_not_crashed(speaker: Speaker) -> None:
    watch = watching(speaker)
    speaker.say(b"login: Not a panic\r\n")
    watch()
    assert watch.found() is None


def test_last_words_are_a_crash(speaker: Speaker) -> None:
    watch = watching(speaker)
    speaker.say(b"Kernel panic - not syncing: sysrq triggered crash\r\n")
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
    ],
)
def test_a_kernel_that_died_in_any_way_has_crashed(speaker: Speaker, words: str) -> None:
    watch = watching(speaker)
    speaker.say(f"[   12.345678] {words}\r\n".encode())
    with pytest.raises(GuestCrashed):
        watch()


@pytest.mark.parametrize(
    "words",
    [
        "traps: python3[412] general protection fault ip:7f12 sp:7ffd error:0 in libc.so.6",
        "python3[412]: segfault at 0 ip 00007f12 sp 00007ffd error 4 in libc.so.6",
        "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [dd:412]",
    ],
)
def test_a_program_that_died_or_held_up_the_kernel_is_no_crash(
    speaker: Speaker, words: str
) -> None:
    watch = watching(speaker)
    speaker.say(f"[   12.345678] {words}\r\n".encode())
    assert watch.found() is None


def test_what_was_said_before_it_is_followed_is_past(speaker: Speaker) -> None:
    watch = watching(speaker)
    speaker.say(b"Kernel panic - not syncing: sysrq triggered crash\r\n")
    assert watch.found() is not None
    watch.follow(speaker.console)
    watch()
    speaker.say(b"Linux version 6.1\r\n")
    watch()
    assert watch.found() is None


def test_the_panic_device_is_a_crash(speaker: Speaker) -> None:
    events = EventLog()
    watch = CrashWatch(events, Accelerator.KVM)
    events.add(EventKind.CRASHED)
    with pytest.raises(GuestCrashed, match="panic device"):
        watch()


def test_a_timer_that_the_host_starved_is_no_verdict_on_the_guest(speaker: Speaker) -> None:
    watch = watching(speaker, Accelerator.TCG)
    speaker.say(TIMER)
    with pytest.raises(HarnessError, match="too busy"):
        watch()


def test_the_same_words_under_kvm_are_the_guest_s(speaker: Speaker) -> None:
    watch = watching(speaker, Accelerator.KVM)
    speaker.say(TIMER)
    with pytest.raises(GuestCrashed, match="timer"):
        watch()
