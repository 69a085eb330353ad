"""What the boot cases are built on: a silence, a screen at rest, a lease, a quick answer."""

from __future__ import annotations

import contextlib
import re
import socket
from pathlib import Path
from unittest.mock import Mock

import pytest

from harness.channels.console import Console, ConsolePiece
from harness.errors import ControlFailedError, GuestFailure, NotApplicable
from harness.guests.os.disks import GuestDisk
from harness.guests.os.network import GuestNic
from harness.oracles.screen import Picture
from harness.profiles.hardware import Firmware, MachineType, ProcessorFloor
from harness.waiting import Deadline, NotYet
from suites.boot import (
    test_cpu_model,
    test_devices_named,
    test_display,
    test_entropy,
    test_hardware,
    test_power,
    test_stays_up,
)

BLACK, WHITE = bytes(3), b"\xff" * 3


def screen(lit: int) -> Picture:
    """A screen of a hundred rows, of which so many are not black."""
    return Picture((WHITE,) * lit + (BLACK,) * (100 - lit))


def talking(*words: bytes) -> Mock:
    """A guest whose console prints these words, the last of them without end."""
    left = list(words)
    console = Mock(position=0)

    def read_after(position: int, _timeout: float) -> ConsolePiece:
        output = left.pop(0) if len(left) > 1 else left[0]
        return ConsolePiece(output, position + len(output), True)

    console.read_after = read_after
    return Mock(console=console, console_log=Path("console.log"))


def rebooting(*boot_ids: str, monkeypatch: pytest.MonkeyPatch) -> Mock:
    """A guest that has these boot ids, one after another; its reboots are taken as proved."""
    monkeypatch.setattr(test_power, "expect_reboot", lambda guest, ask: ask() or 1.0)
    guest = Mock()
    guest.os.lifecycle.boot_id.side_effect = boot_ids
    guest.os.lifecycle.reboot.return_value = None
    return guest


def test_a_guest_reboots_ten_times_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    guest = rebooting(*"abcdefghijk", monkeypatch=monkeypatch)
    test_power.test_reboots_again_and_again_at_its_own_request(guest, Mock())
    assert guest.os.lifecycle.reboot.call_count == 10


def test_a_boot_id_that_comes_back_was_no_reboot(monkeypatch: pytest.MonkeyPatch) -> None:
    guest = rebooting(*"abcdefghija", monkeypatch=monkeypatch)
    with pytest.raises(AssertionError, match="a boot id came twice"):
        test_power.test_reboots_again_and_again_at_its_own_request(guest, Mock())


def test_what_was_under_way_when_it_paused_is_let_arrive() -> None:
    assert test_power._silent_from(talking(b"tick\n", b"tick\n", b"")) == 10


def test_a_guest_that_talks_on_while_it_is_paused_has_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(test_power, "SILENT_WITHIN", 0.05)
    with pytest.raises(GuestFailure, match="keeps printing while it is paused"):
        test_power._silent_from(talking(b"tick\n"))


@pytest.mark.parametrize(("lit", "still"), [(0, True), (16, True), (17, False)])
def test_a_screen_with_a_cursor_stands_still(
    monkeypatch: pytest.MonkeyPatch, lit: int, still: bool
) -> None:
    shown = [screen(0), screen(lit)]
    monkeypatch.setattr(test_display, "_screen", lambda _: shown.pop(0))
    monkeypatch.setattr(test_display, "STILL_SECONDS", 0.0)
    if still:
        assert test_display._still(Mock()) == screen(0)
    else:
        with pytest.raises(NotYet, match="17 rows"):
            test_display._still(Mock())


MAC = "52:54:00:00:00:01"


def with_card(*addresses: str) -> Mock:
    """A guest with one card that has these addresses."""
    guest = Mock()
    guest.os.network.nics = lambda: [GuestNic("enp1s0", MAC, "e1000", addresses)]
    return guest


def test_a_card_has_its_lease_where_both_sides_tell_of_it() -> None:
    network = Mock()
    network.leases.return_value = {MAC: "10.0.0.5"}
    test_devices_named._has_its_lease(with_card("10.0.0.5/24", "fe80::1/64"), network)
    assert network.leases.called


@pytest.mark.parametrize(
    ("guest", "leased", "seen"),
    [
        (with_card("10.99.0.5/24"), {MAC: "10.0.0.5"}, "10.99.0.5/24, where 10.0.0.5 was leased"),
        (with_card(), {MAC: "10.0.0.5"}, "no address, where 10.0.0.5 was leased"),
        (with_card("10.0.0.5/24"), {}, "10.0.0.5/24, where None was leased"),
    ],
)
def test_a_card_lacks_its_lease_where_one_side_does_not_tell_of_it(
    guest: Mock, leased: dict[str, str], seen: str
) -> None:
    with pytest.raises(NotYet, match=seen):
        test_devices_named._has_its_lease(guest, Mock(leases=lambda: leased))


@pytest.mark.parametrize(
    ("output", "refuses"),
    [
        ("Fatal glibc error: CPU does not support x86-64-v2\r\n", True),
        ("/lib64/libc.so.6: CPU ISA level is lower than required\r\n", True),
        ("This kernel requires an x86-64 CPU, but only detected an i686 CPU.\r\n", True),
        ("[    0.000000] x86/fpu: x87 FPU will use FXSAVE\r\n", False),
        ("[    1.183006] kvm_amd: CPU 0 isn't AMD or Hygon\r\n", False),
    ],
)
def test_a_refusal_of_a_processor_is_known_by_its_words(output: str, refuses: bool) -> None:
    assert any(re.search(words, output) for words in test_cpu_model.REFUSALS) is refuses


GLIBC = b"Fatal glibc error: CPU does not support x86-64-v2\r\n"
LOGIN = b"host login: "
SILENCE = b"silence\r\n"


@pytest.mark.parametrize(
    ("below", "at_the_floor", "error"),
    [
        (GLIBC, LOGIN, None),
        (LOGIN, LOGIN, "its login prompt on kvm64, which is below its floor"),
        (SILENCE, LOGIN, "to refuse its processor"),
        (GLIBC, GLIBC, "the control failed: assert not True"),
    ],
)
def test_a_lesser_processor_has_to_be_refused_aloud(
    tmp_path: Path, below: bytes, at_the_floor: bytes, error: str | None
) -> None:
    hardware = Mock(cpu_floor=ProcessorFloor.X86_64_V2)
    patience = 0.5 if below == SILENCE else 30  # only silence is waited out
    machine = Mock(profile=Mock(hardware=hardware), budget=lambda _seconds: Deadline(patience))
    with contextlib.ExitStack() as stack:

        def start(output: bytes) -> None:
            local, remote = socket.socketpair()
            stack.enter_context(remote)
            machine.console = Console(local, tmp_path / "console.log")
            stack.callback(machine.console.close)
            remote.sendall(output)
            machine.console.read_after(0, 10)

        machine.power_on = lambda: start(below)
        machine.boot = lambda: start(at_the_floor)
        whose = ControlFailedError if error and "control" in error else AssertionError
        failing = pytest.raises(whose, match=error) if error else contextlib.nullcontext()
        with failing:
            test_cpu_model.test_says_that_a_lesser_processor_will_not_do(machine)
    assert machine.redefine.call_args_list[0].kwargs == {"cpu_model": "kvm64"}


def test_every_least_processor_has_a_flag_that_it_must_lack() -> None:
    assert set(test_cpu_model.BASELINE.values()) == set(test_cpu_model.BEYOND)
    assert len(set(test_cpu_model.BEYOND.values())) == len(test_cpu_model.BEYOND)


@pytest.mark.parametrize(
    ("given", "passes"), [("kvm64", True), ("a greater one", False), ("a lesser one", False)]
)
def test_the_least_processor_is_neither_less_nor_more(given: str, passes: bool) -> None:
    found = {"kvm64": {"sse2"}, "a greater one": {"sse2", "ssse3"}, "a lesser one": set()}[given]
    machine = Mock()
    machine.profile.hardware.cpu_floor = ProcessorFloor.X86_64
    machine.os.cpus.missing_flags = lambda expected: expected - found
    hypervisor = Mock(facet=lambda _: Mock(flags=lambda *_: {"sse2"}))
    if passes:
        test_cpu_model.test_boots_on_the_least_processor(machine, hypervisor)
    else:
        with pytest.raises(AssertionError):
            test_cpu_model.test_boots_on_the_least_processor(machine, hypervisor)
    assert machine.redefine.call_args.kwargs == {"cpu_model": "kvm64"}


@pytest.mark.parametrize("cards", [0, 2])
def test_a_card_too_few_or_one_twice_is_not_as_defined(cards: int) -> None:
    guest = Mock()
    guest.definition.nics = [Mock(mac=MAC)]
    guest.os.network.nics = lambda: [GuestNic("enp1s0", MAC, "virtio_net", ())] * cards
    guest.profile.drivers.nic = "virtio_net"
    with pytest.raises(AssertionError, match=MAC):
        test_hardware.test_nics_are_as_defined(guest)


@pytest.mark.parametrize("disks", [0, 2])
def test_a_disk_too_few_or_one_twice_is_not_as_defined(disks: int) -> None:
    guest = Mock()
    guest.definition.disks = [Mock(serial="GC-ROOT")]
    guest.os.disks.all = lambda: [GuestDisk("vda", "GC-ROOT", 512, "virtio_blk")] * disks
    with pytest.raises(AssertionError, match="GC-ROOT"):
        test_hardware.test_disks_are_as_defined(guest)


def test_signed_boot_is_not_asked_of_a_chipset_that_can_not_enforce_it() -> None:
    signed = Mock(definition=Mock(firmware=Firmware.SECURE_BOOT))
    with pytest.raises(NotApplicable, match="not on pc"):
        test_devices_named._require_firmware(signed, MachineType.PC)


@pytest.mark.parametrize(
    ("firmware", "chipset"),
    [
        (Firmware.SECURE_BOOT, MachineType.Q35),
        (Firmware.UEFI, MachineType.PC),
        (Firmware.BIOS, MachineType.PC),
    ],
)
def test_any_other_firmware_is_taken_to_either_chipset(
    firmware: Firmware, chipset: MachineType
) -> None:
    machine = Mock(definition=Mock(firmware=firmware))
    test_devices_named._require_firmware(machine, chipset)
    assert machine.mock_calls == [], "nothing is done to the machine"


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("[    0.084001] random: crng init done", "0.084001"),
        ("[    0.000000] random: crng done (trusting CPU's manufacturer)", "0.000000"),
        ("[   12.500000] random: nonblocking pool is initialized", "12.500000"),
    ],
)
def test_every_kernel_s_word_of_its_seed_is_known(line: str, seconds: str) -> None:
    found = test_entropy.SEEDED.search(line)
    assert found is not None
    assert found.group(1) == seconds


def test_a_generator_that_is_not_seeded_yet_is_not_taken_for_one() -> None:
    early = "[    0.100000] random: fast init done"
    assert test_entropy.SEEDED.search(early) is None


def test_a_slow_answer_tells_less_of_the_clock_than_a_quick_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = iter([0.0, 4.0, 10.0, 10.2, 20.0, 22.0])
    readings = iter([0.1, 10.1, 21.9])  # each is true, read early or late while it was asked for
    monkeypatch.setattr(test_stays_up, "READINGS", 3)
    monkeypatch.setattr(test_stays_up, "time", Mock(time=lambda: next(times)))
    guest = Mock()
    guest.os.lifecycle.clock = lambda: next(readings)
    assert test_stays_up._ahead(guest) == pytest.approx(0)
