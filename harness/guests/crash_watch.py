"""Notices that a guest's kernel has died, while anything else is awaited of it."""

from __future__ import annotations

import re

from harness.channels.console import Console
from harness.errors import GuestCrashed, HarnessError
from harness.events import EventKind, EventLog
from harness.hypervisors.definitions import Accelerator

FATAL = re.compile(
    rb"Kernel panic - not syncing[^\r\n]*"
    rb"|BUG: unable to handle [^\r\n]*"
    rb"|Unable to handle kernel [^\r\n]*"
    rb"|kernel BUG at [^\r\n]*"
    rb"|[A-Za-z][^\r\n:]{0,80}: [0-9a-f]{4,16} \[#\d+\][^\r\n]*"  # every way to die has a number
    rb"|VFS: Unable to mount root fs[^\r\n]*"
)
"""What Linux prints on its console when it can not go on."""

HOST_TOO_SLOW = "IO-APIC + timer doesn't work"
"""Linux's test of its timer, which an emulated machine on a busy host fails; KVM's never does it.

Source: arch/x86/kernel/apic/io_apic.c, check_timer.
"""

OVERLAP = 256
"""Bytes looked at again, so that a line that came in two pieces is still found."""


class CrashWatch:
    """A watch over one guest: its panic device's event and its console's last words."""

    def __init__(self, events: EventLog, accelerator: Accelerator) -> None:
        self._events = events
        self._accelerator = accelerator
        self._mark = events.mark()
        self._console: Console | None = None
        self._begin = self._position = 0
        self._found: str | None = None

    def follow(self, console: Console) -> None:
        """Look at this console from now on; what another one said is past."""
        self._console = console
        self._begin = self._position = console.position
        self._mark = self._events.mark()
        self._found = None

    def found(self) -> str | None:
        """The guest's last words, once it has crashed; None while it lives."""
        if self._found is None:
            self._found = self._look()
        return self._found

    def __call__(self) -> None:
        """Raise once the guest has crashed: GuestCrashed, or HarnessError where the host did it."""
        words = self.found()
        if words is None:
            return
        log = self._console.log if self._console else None
        if self._accelerator is Accelerator.TCG and HOST_TOO_SLOW in words:
            raise HarnessError(
                f"the host was too busy for the guest's timer to be tested: {words}",
                evidence=log,
                remedy="run fewer machines at once (-n 1), or boot the image with no_timer_check",
            )
        raise GuestCrashed(f"the guest crashed: {words}", evidence=log)

    def _look(self) -> str | None:
        if self._console is not None:
            text = self._console.since(max(self._begin, self._position - OVERLAP))
            self._position = self._console.position
            match = FATAL.search(text)
            if match:
                return match.group(0).decode("utf-8", errors="replace")[:200]
        for event in self._events.since(self._mark):
            if event.kind is EventKind.CRASHED:
                return "its panic device spoke"
        return None
