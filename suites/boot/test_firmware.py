"""boot.firmware: through BIOS and through UEFI, as the guest itself sees it."""

import struct

from harness.guests.guest import Guest
from harness.hypervisors.capabilities import QEMU_DEVICES
from harness.oracles.control import control
from harness.oracles.reboot import expect_reboot
from harness.plugin.markers import cost, feature, requires, variants
from harness.profiles.hardware import Firmware

EFI_GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
"""The vendor GUID of the boot variables (UEFI specification, 3.3)."""

MARK = "GuestcertMark-6f1c1a2e-8d0f-5c8e-9a55-0d1f6a3c9b77"


@feature("boot.firmware.bios")
@requires(QEMU_DEVICES)
@variants(Firmware.BIOS)
@cost(80)
def test_boots_through_bios(machine: Guest) -> None:
    """The guest boots through BIOS and finds no UEFI."""
    assert machine.definition.firmware is Firmware.BIOS
    assert machine.definition.nvram is None

    machine.boot()

    assert not machine.os.firmware.is_uefi(), "the guest reports that it was started through UEFI"
    with control():  # the same probe finds a BIOS machine's firmware
        assert machine.os.firmware.is_reported(), "the guest reports nothing about its firmware"
    assert "SeaBIOS" in machine.os.devices.smbios("bios_vendor")


@feature("boot.firmware.uefi")
@variants(Firmware.UEFI)
@cost(150)
def test_boots_through_uefi_and_keeps_its_boot_entry(machine: Guest) -> None:
    """The guest boots through UEFI; its boot entry survives a reboot and a power cycle."""
    machine.boot()
    assert machine.os.firmware.is_uefi(), "the guest finds no UEFI although its machine has one"
    _write_mark(machine)
    entry = _current_entry(machine)
    order = machine.os.firmware.variable("BootOrder", EFI_GLOBAL)
    assert len(order) >= 2, "the firmware has no boot order"

    expect_reboot(machine, machine.os.lifecycle.reboot)
    assert _current_entry(machine) == entry, "another boot entry was used after a reboot"
    assert _has_mark(machine), "the NVRAM lost a variable over a reboot"

    machine.shut_down()
    machine.boot()
    assert _current_entry(machine) == entry, "another boot entry was used after a power cycle"
    assert machine.os.firmware.variable("BootOrder", EFI_GLOBAL) == order
    assert _has_mark(machine), "the NVRAM lost a variable over a power cycle"


def _current_entry(machine: Guest) -> tuple[int, bytes]:
    """The number and the content of this boot's entry."""
    current = machine.os.firmware.variable("BootCurrent", EFI_GLOBAL)
    assert len(current) == 2, "the firmware does not report which entry it booted"
    (number,) = struct.unpack("<H", current)
    content = machine.os.firmware.variable(f"Boot{number:04X}", EFI_GLOBAL)
    assert content, f"the boot entry Boot{number:04X} does not exist"
    return number, content


def _write_mark(machine: Guest) -> None:
    """Write guestcert's own variable."""
    with control():
        assert not _has_mark(machine), "the mark was there before it was written"
    name, _, vendor = MARK.partition("-")
    machine.os.firmware.set_variable(name, vendor, b"kept")
    assert _has_mark(machine)


def _has_mark(machine: Guest) -> bool:
    name, _, vendor = MARK.partition("-")
    return machine.os.firmware.variable(name, vendor) == b"kept"
