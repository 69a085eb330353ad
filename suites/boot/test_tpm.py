"""boot.tpm: a TPM 2.0 that measures the boot, and opens sealed data."""

import secrets

import pytest

from harness.errors import GuestFailure
from harness.guests.guest import Guest
from harness.hypervisors.capabilities import TPM
from harness.oracles.control import control
from harness.oracles.tpm import Tpm, TpmRefusal
from harness.plugin.applicability import require_tpm_use
from harness.plugin.markers import cost, feature, only_on, requires, variants
from harness.profiles.hardware import Firmware
from harness.profiles.model import System

FIRMWARE_PCRS = (0, 2, 4, 7)
"""The firmware's registers, less 1: it has the boot entries, which a first boot still creates.

Source: TCG PC Client Platform Firmware Profile, 3.3.4.
"""

COMMAND_LINE_PCRS = (8, 9)
"""GRUB measures its commands and the kernel's command line into 8, the kernel itself into 9."""

SEALED_TO = (0, 23)
"""The firmware's own register, and the one for applications."""

ARGUMENT = "guestcert.measured=1"


@feature("boot.tpm")
@requires(TPM)
@variants(Firmware.UEFI)  # GRUB does not measure under BIOS
@only_on(System.LINUX, because="it expects the measurements of GRUB, and of no other loader")
@cost(240)
def test_what_boots_is_measured(machine: Guest) -> None:
    """Two boots of the same system measure the same; another command line measures differently."""
    require_tpm_use(machine.profile)
    machine.redefine(tpm=True)
    _booted(machine)  # the first boot on this disk still creates boot entries
    machine.shut_down()
    registers = FIRMWARE_PCRS + COMMAND_LINE_PCRS
    before = _booted(machine).pcrs(registers)
    assert [number for number, value in before.items() if not any(value)] == []
    machine.shut_down()

    assert _booted(machine).pcrs(registers) == before, "the same system was measured differently"

    machine.os.firmware.add_boot_argument(ARGUMENT)
    machine.shut_down()
    after = _booted(machine).pcrs(registers)
    with control():
        assert machine.os.firmware.has_boot_argument(ARGUMENT), "the command line is still the same"
    changed = {number for number in registers if after[number] != before[number]}
    assert changed & set(COMMAND_LINE_PCRS), "another command line was measured as the same"
    assert not changed & set(FIRMWARE_PCRS), f"the firmware was measured differently: {changed}"


@feature("boot.tpm")
@requires(TPM)
@only_on(System.LINUX, because="Windows owns the chip, and does not reveal the owner's password")
@cost(130)
def test_sealed_data_opens_after_a_reboot(machine: Guest) -> None:
    """The chip opens sealed data after a power cycle, but not once a register has changed."""
    require_tpm_use(machine.profile)
    machine.redefine(tpm=True)
    secret = secrets.token_bytes(32)
    sealed = _booted(machine).seal(secret, SEALED_TO)
    machine.shut_down()

    tpm = _booted(machine)
    try:
        opened = tpm.unseal(sealed)
    except TpmRefusal as refusal:
        raise GuestFailure(f"the sealed data does not open any more: {refusal}") from refusal
    assert opened == secret

    # It was sealed to the registers' values, and not just stored.
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
