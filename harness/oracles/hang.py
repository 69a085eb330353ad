"""Makes a guest hang while its kernel stays alive."""

from __future__ import annotations

from harness.errors import ChannelError, ControlFailedError
from harness.guests.guest import Guest
from harness.waiting import NotYet
from harness.workloads.ticker import start_ticking

STILL_SECONDS = 2.0
"""A guest that ticks five times a second and is silent for this long is hung."""


def hang(guest: Guest) -> None:
    """Occupy every processor with an endless loop, and check that nothing else runs any more.

    Raises ControlFailedError where the guest does not hang.
    """
    start_ticking(guest).await_ticks(1, error=ControlFailedError)

    def still() -> None:
        piece = guest.console.read_after(guest.console.position, STILL_SECONDS)
        if piece.data:
            raise NotYet(f"{piece.data[-20:]!r} on its console")

    try:
        guest.os.lifecycle.hang()
    except ChannelError:
        # The hang that was requested may swallow the answer itself.
        guest.crash_watch()
    guest.wait_for(still, f"{guest.name} to hang", seconds=20, error=ControlFailedError)
