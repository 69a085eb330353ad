"""boot.secure_boot: what is signed boots, what is not is refused, and boots where none asks."""

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
"""What OVMF, shim and GRUB say to a signature that is missing."""

REFUSED_ALOUD = "it takes the signature from Linux's loaders, whose refusal is on the console"

LOADER = "/boot/efi/EFI/BOOT/BOOTX64.EFI"
"""What a firmware starts from a disk of which it knows nothing (UEFI specification, 3.5.1.1)."""


@feature("boot.secure_boot")
@variants(Firmware.SECURE_BOOT)
@cost(70)
def test_boots_with_secure_boot_enforced(machine: Guest) -> None:
    """With Secure Boot enforced the guest boots, and says that it is enforced."""
    machine.boot()

    assert machine.os.uefi_variable("SecureBoot", EFI_GLOBAL) == b"\1"
    assert machine.os.uefi_variable("SetupMode", EFI_GLOBAL) == b"\0", "anyone may enrol keys"
    assert machine.os.secure_boot(), "the kernel does not say that Secure Boot is on"


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
        awaited="the firmware or a loader to refuse what is not signed",
        deadline=machine.budget(20),
        watches=[machine.crash_watch],
    )
    assert b"Linux version" not in machine.console.since(0), "it was booted all the same"
    machine.machine.power_off()
    machine.hang_up()
    plain = machine.folder / "nvram-plain.fd"
    plain.unlink(missing_ok=True)
    machine.redefine(firmware=Firmware.UEFI, nvram=plain)
    with control():  # the very same disk boots where nobody asks for signatures
        machine.boot()
        assert machine.os.is_uefi()
        assert machine.os.uefi_variable("SecureBoot", EFI_GLOBAL) in (b"\0", b"")
