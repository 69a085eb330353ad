"""Footprint: the state of a guest that a read-only case must leave unchanged."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import NotApplicable
from harness.guests.guest import Guest
from harness.guests.log_rules import ERROR
from harness.oracles.log import faults


@dataclass(frozen=True)
class Footprint:
    """Boot id, number of kernel errors, failed units where the guest's init system lists them."""

    boot_id: str
    kernel_errors: int
    failed_units: tuple[str, ...]

    @classmethod
    def of(cls, guest: Guest) -> Footprint:
        """Read it from the guest."""
        errors = faults(guest, level=ERROR)
        return cls(guest.os.lifecycle.boot_id(), len(errors), _failed_units(guest))


def _failed_units(guest: Guest) -> tuple[str, ...]:
    try:
        return tuple(guest.os.services.failed())
    except NotApplicable:
        return ()
