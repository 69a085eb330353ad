"""Makes a guest hang while its kernel lives."""

from __future__ import annotations

from harness.errors import ChannelError
from harness.guests.guest import Guest


def hang(guest: Guest) -> None:
    """Give every processor to work without an end some seconds from now."""
    try:
        guest.os.hang()
    except ChannelError:
        # The answer itself may be lost in the hang that was asked for.
        guest.crash_watch()
