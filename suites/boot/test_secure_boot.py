"""boot.secure_boot: signed loaders boot, unsigned ones are refused, and boot without it."""

from harness.channels.console import ConsoleExpect
from harness.guests.guest import Guest
from harness.oracles.control import control
from harness.plugin.markers import cost, feature, only_on, variants
from harness.profiles.hardware import Firmware
from harness.profiles.model import System

EFI_GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"

REFUSALS = [
    r"bad shim signature",
    r"you need to load the kernel first",
    r"cannot load image",
    r"Security Violation",
    r"Security Policy Violation",
    r"Access Denied",
    r"prohibited by secure boot policy",
]
"""The messages of OVMF, shim and GRUB for a missing signature."""

REFUSED_ALOUD = "it removes the signature from Linux's loaders, whose refusal is on the console"

LOADER = "/boot/efi/EFI/BOOT/BOOTX64.EFI"
"""The loader that firmware starts without a boot entry (UEFI specification, 3.5.1.1)."""


@feature("boot.secure_boot")
@variants(Firmware.SECURE_BOOT)
@cost(70)
def test_boots_with_secure_boot_enforced(machine: Guest) -> None:
    """With Secure Boot enforced the guest boots, and reports that it is enforced."""
    machine.boot()

    assert machine.os.firmware.variable("SecureBoot", EFI_GLOBAL) == b"\1"
    assert machine.os.firmware.variable("SetupMode", EFI_GLOBAL) == b"\0", (
        "keys can be enrolled without a signature"
    )
    assert machine.os.firmware.secure_boot(), "the kernel does not report that Secure Boot is on"


@feature("boot.secure_boot")
@variants(Firmware.SECURE_BOOT)
@only_on(System.LINUX, because=REFUSED_ALOUD)
@cost(160)
def test_an_unsigned_kernel_is_refused(machine: Guest) -> None:
    """A kernel without its signature is refused, and boots where Secure Boot is off."""
    machine.boot()
    machine.linux.unsign("/vmlinuz")
    _assert_refused_and_boots_without(machine)


@feature("boot.secure_boot")
@variants(Firmware.SECURE_BOOT)
@only_on(System.LINUX, because=REFUSED_ALOUD)
@cost(160)
def test_an_unsigned_loader_is_refused(machine: Guest) -> None:
    """A boot loader without its signature is refused, and boots where Secure Boot is off."""
    machine.boot()
    machine.await_settled()  # nothing else waits until the loader's file system is mounted
    machine.linux.unsign(LOADER)
    _assert_refused_and_boots_without(machine)


def _assert_refused_and_boots_without(machine: Guest) -> None:
    machine.shut_down()
    machine.power_on()
    ConsoleExpect(machine.console, 0).await_any(
        [*REFUSALS, r"Linux version"],
        awaited="the firmware or a loader to refuse an unsigned file",
        deadline=machine.budget(20),
        watches=[machine.crash_watch],
    )
    assert b"Linux version" not in machine.console.since(0), "it was booted nevertheless"
    machine.machine.power_off()
    machine.hang_up()
    plain = machine.folder / "nvram-plain.fd"
    plain.unlink(missing_ok=True)
    machine.redefine(firmware=Firmware.UEFI, nvram=plain)
    with control():  # the same disk boots where no signature is required
        machine.boot()
        assert machine.os.firmware.is_uefi()
        assert machine.os.firmware.variable("SecureBoot", EFI_GLOBAL) in (b"\0", b"")
