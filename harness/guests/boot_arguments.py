"""Changes the command line with which a Linux guest's boot loader starts its kernel."""

from __future__ import annotations

import re

from harness.errors import HarnessError
from harness.guests.guest import Guest

APPEND = r"""for f in /boot/grub/grub.cfg /boot/grub2/grub.cfg; do
[ ! -f "$f" ] || sed -i "s|^[[:space:]]*linux[a-z0-9]*[[:space:]].*|& $1|" "$f"; done
for f in /boot/loader/entries/*.conf; do
[ ! -f "$f" ] || sed -i "s|^options[[:space:]].*|& $1|" "$f"; done
sync"""
"""GRUB's own menu, and the entries of the Boot Loader Specification that GRUB reads elsewhere."""

PLAIN = re.compile(r"[A-Za-z0-9_.,:=/@-]+")


def add_boot_argument(guest: Guest, argument: str) -> None:
    """Have the guest's kernel started with one more argument from its next boot on.

    That boot's /proc/cmdline proves it: see `has_boot_argument`.
    """
    if not PLAIN.fullmatch(argument):
        raise HarnessError(f"{argument!r} is no plain argument of a kernel")
    guest.os.sh(APPEND, argument)


def has_boot_argument(guest: Guest, argument: str) -> bool:
    """Whether the running kernel was started with it."""
    return argument in guest.os.read("/proc/cmdline").split()
