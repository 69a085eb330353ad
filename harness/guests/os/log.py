"""The system's log."""

from __future__ import annotations

import re
from typing import Protocol

from harness.guests.answers import Fields, entries
from harness.guests.linux.shell import LinuxShell
from harness.guests.log_records import LogLine
from harness.guests.log_rules import LogRules, Mark
from harness.guests.runner import Runner
from harness.guests.text import bounded_lines
from harness.guests.windows.powershell import WindowsShell, command
from harness.profiles.model import System

INFORMATION = 6
"""syslog's level for a line without a level."""

RECENT = "journalctl -b -n 400 --no-pager -o short-precise 2>/dev/null || dmesg | tail -n 400"

LINE = re.compile(r"(?:<(\d{1,4})>)?(.*)")

LEVELS = {0: 6, 1: 2, 2: 3, 3: 4, 4: 6, 5: 7}
"""Windows' levels (always, critical, error, warning, information, verbose) as syslog has them."""

MOUNTED_BEFORE_8 = "^Microsoft-Windows-FilterManager 6:"
"""NTFS itself logs no mount there; the filters that start with the volume do."""


class Log(Protocol):
    """The system's log."""

    @property
    def rules(self) -> LogRules:
        """The rules by which its records are classified."""

    @property
    def recent(self) -> tuple[str, ...]:
        """The program, with its arguments, that prints the newest part of the log."""

    def lines(self) -> list[LogLine]:
        """The log of this boot, with levels."""


class LinuxLog(LinuxShell):
    """See Log. FreeBSD's `dmesg` has levels for user space's lines only."""

    recent: tuple[str, ...] = ("sh", "-c", RECENT)

    def __init__(self, run: Runner, rules: LogRules | None = None) -> None:
        super().__init__(run)
        self.rules = rules or LogRules.of(System.LINUX)

    def lines(self) -> list[LogLine]:
        """The kernel log of this boot; a line without a level takes the previous line's."""
        lines: list[LogLine] = []
        level = INFORMATION
        for line in bounded_lines(self.sh("dmesg -r 2>/dev/null || dmesg -a", seconds=30)):
            match = LINE.fullmatch(line)
            if match and match.group(1):
                level = int(match.group(1)) & 7
            text = match.group(2) if match else line
            if text:
                lines.append(LogLine(level, text))
        return lines


class WindowsLog(WindowsShell):
    """See Log. A line of it is `provider event: message`.

    The message is in the guest's language: provider and event number identify it.
    """

    def __init__(
        self,
        run: Runner,
        kernel: tuple[int, int] | None = None,
        rules: LogRules | None = None,
    ) -> None:
        super().__init__(run, kernel)
        self._rules = rules or LogRules.of(System.WINDOWS)

    @property
    def rules(self) -> LogRules:
        """The rules by which its records are classified."""
        if self._kernel is None or self._kernel >= (6, 2):
            return self._rules
        return self._rules.with_mark(Mark.MOUNTED, MOUNTED_BEFORE_8)

    @property
    def recent(self) -> tuple[str, ...]:
        """The program, with its arguments, that prints the newest of the log."""
        return command("recent")

    def lines(self) -> list[LogLine]:
        """The system log of this boot, its newest 2000 entries, the oldest first."""
        events = entries(self.ask("events", seconds=120), "log")
        events.sort(key=lambda event: event.number("RecordId"))
        return [_line(event) for event in events]


def _line(event: Fields) -> LogLine:
    level = LEVELS.get(event.number("Level"), 6)
    message = " ".join(event.text("Message").split())
    return LogLine(level, f"{event.text('ProviderName')} {event.number('Id')}: {message}")
