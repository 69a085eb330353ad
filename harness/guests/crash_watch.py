"""Crash watch: notices a dead kernel during any other wait."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.channels.console import Console
from harness.errors import GuestCrashed, HarnessError
from harness.events import EventKind, EventLog
from harness.guests.log_records import bare
from harness.guests.log_rules import Pattern
from harness.hypervisors.definitions import Accelerator

HOST_TOO_SLOW = "IO-APIC + timer doesn't work"
"""Linux's timer test, which an emulated machine on a busy host fails; under KVM it is not run.

Source: arch/x86/kernel/apic/io_apic.c, check_timer.
"""

LONGEST_LINE = 2048
"""Bytes of an unfinished line that are searched again together with its rest."""

LINE_END = re.compile(rb"[\r\n]")

SHOWN_BEFORE = 100
"""Characters before the match of a rule up to which a line is shown whole."""

PARTS, REST_OF_LINE_SECONDS = 5, 1.0
"""The number of parts in which the rest of a dying guest's line may arrive; the wait for each."""


class CrashWatch:
    """A watch over one guest: its panic device's event and its console's last lines.

    `deaths` are the patterns of lines after which its system does not continue.
    """

    def __init__(
        self, events: EventLog, accelerator: Accelerator, deaths: Sequence[Pattern]
    ) -> None:
        self._events = events
        self._accelerator = accelerator
        self._deaths = deaths
        self._mark = events.mark()
        self._console: Console | None = None
        self._position = 0
        self._unfinished = b""  # the newest line, as far as it has come
        self._found: str | None = None

    def follow(self, console: Console) -> None:
        """Watch this console from now on; output of an earlier one is dropped."""
        self._console = console
        self._position = console.position
        self._unfinished = b""
        self._mark = self._events.mark()
        self._found = None

    def found(self) -> str | None:
        """The guest's last line, once it has crashed; None while it runs."""
        if self._found is None:
            self._found = self._look()
        return self._found

    def __call__(self) -> None:
        """Raise once the guest has crashed: GuestCrashed, or HarnessError where the host did it."""
        last_line = self.found()
        if last_line is None:
            return
        log = self._console.log if self._console else None
        if self._accelerator is Accelerator.TCG and HOST_TOO_SLOW in last_line:
            raise HarnessError(
                f"the host was too busy for the guest's timer test: {last_line}",
                evidence=log,
                remedy="run fewer machines at once (-n 1), or boot the image with no_timer_check",
            )
        raise GuestCrashed(f"the guest crashed: {last_line}", evidence=log)

    def _look(self) -> str | None:
        last_line = self._look_at_console()
        if last_line is not None:
            return last_line
        for event in self._events.since(self._mark):
            if event.kind is EventKind.CRASHED:
                return "its panic device spoke"
        return None

    def _look_at_console(self) -> str | None:
        console = self._console
        if console is None:
            return None
        text = self._unfinished + self._news(console)
        self._unfinished = LINE_END.split(text[-LONGEST_LINE:])[-1]
        last_line = self._last_line_in(text)
        if last_line is not None and last_line.unfinished:
            # The cause may stand in the rest of the line.
            last_line = self._last_line_in(text + self._rest_of_line(console)) or last_line
        return last_line.text if last_line else None

    def _rest_of_line(self, console: Console) -> bytes:
        rest = b""
        for _ in range(PARTS):
            more = self._news(console, REST_OF_LINE_SECONDS)
            rest += more
            if not more or LINE_END.search(rest):
                break
        return LINE_END.split(rest)[0]

    def _news(self, console: Console, seconds: float = 0) -> bytes:
        """The console's output since the last look, as far as it is still in memory."""
        piece = console.read_after(self._position, seconds)
        self._position = piece.end
        return piece.data

    def _last_line_in(self, output: bytes) -> _LastLine | None:
        """The first line after which the system does not continue.

        The rules are bounded, so this takes time in proportion to the output.
        """
        text = output.decode("utf-8", errors="replace").replace("\r", "\n")
        places = [death.place_in(text) for death in self._deaths]
        found = [place for place in places if place is not None]
        if not found:
            return None
        place = min(found)
        start = text.rfind("\n", 0, place) + 1
        if place - start > SHOWN_BEFORE:
            start = place
        line, end, _ = text[start:].partition("\n")
        return _LastLine(bare(line).strip()[:200], unfinished=not end)


@dataclass(frozen=True)
class _LastLine:
    text: str
    unfinished: bool  # its line end has not arrived yet
