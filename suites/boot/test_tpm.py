"""boot.tpm: a TPM 2.0 that measures what boots, and keeps what was sealed."""

import secrets

import pytest

from harness.errors import GuestFailure
from harness.guests.guest import Guest
from harness.guests.tpm import Tpm, TpmRefusal
from harness.hypervisors.base import Capability
from harness.oracles.control import control
from harness.plugin.applicability import require_tpm_use
from harness.plugin.markers import cost, feature, only_on, requires, variants
from harness.profiles.hardware import Firmware
from harness.profiles.model import System

FIRMWARE_PCRS = (0, 2, 4, 7)
"""What runs before the loader. Register 1 has the boot entries, which a first boot still makes.

Source: TCG PC Client Platform Firmware Profile, 3.3.4.
"""

COMMAND_LINE_PCRS = (8, 9)
"""GRUB measures its commands and the kernel's command line into 8, the kernel itself into 9."""

SEALED_TO = (0, 23)
"""The firmware's own register, and the one that is for whoever wants it."""

ARGUMENT = "guestcert.measured=1"


@feature("boot.tpm")
@requires(Capability.TPM)
@variants(Firmware.UEFI)  # GRUB measures nothing where it was started by BIOS
@only_on(System.LINUX, because="it knows by heart what GRUB measures, and no other loader")
@cost(240)
def test_what_boots_is_measured(machine: Guest) -> None:
    """Two boots of the same measure the same; another command line measures otherwise."""
    require_tpm_use(machine.profile)
    machine.redefine(tpm=True)
    _booted(machine)  # the first boot on this disk still makes what the later ones find
    machine.shut_down()
    registers = FIRMWARE_PCRS + COMMAND_LINE_PCRS
    before = _booted(machine).pcrs(registers)
    assert [number for number, value in before.items() if not any(value)] == []
    machine.shut_down()

    assert _booted(machine).pcrs(registers) == before, "the same was measured otherwise"

    machine.os.add_boot_argument(ARGUMENT)
    machine.shut_down()
    after = _booted(machine).pcrs(registers)
    with control():
        assert machine.os.has_boot_argument(ARGUMENT), "the command line is still the same"
    changed = {number for number in registers if after[number] != before[number]}
    assert changed & set(COMMAND_LINE_PCRS), "another command line was measured as the same"
    assert not changed & set(FIRMWARE_PCRS), f"the firmware was measured otherwise: {changed}"


@feature("boot.tpm")
@requires(Capability.TPM)
@only_on(System.LINUX, because="Windows owns the chip, and keeps the owner's password to itself")
@cost(130)
def test_sealed_data_opens_after_a_reboot(machine: Guest) -> None:
    """What the chip sealed it opens after a power cycle, and not once a register has changed."""
    require_tpm_use(machine.profile)
    machine.redefine(tpm=True)
    secret = secrets.token_bytes(32)
    sealed = _booted(machine).seal(secret, SEALED_TO)
    machine.shut_down()

    tpm = _booted(machine)
    try:
        opened = tpm.unseal(sealed)
    except TpmRefusal as refusal:
        raise GuestFailure(f"what was sealed does not open any more: {refusal}") from refusal
    assert opened == secret

    # It was sealed to what the registers hold, and not just kept.
    tpm.extend(SEALED_TO[-1], secrets.token_bytes(32))
    with pytest.raises(TpmRefusal) as refused:
        tpm.unseal(sealed)
    assert refused.value.policy, f"refused, but for another reason: {refused.value}"


def _booted(machine: Guest) -> Tpm:
    """Power on until the guest is ready, and has found its chip."""
    machine.boot()
    tpm = Tpm(machine)
    tpm.await_chip()
    return tpm
