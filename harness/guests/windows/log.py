"""A Windows guest's system log, and its services."""

from __future__ import annotations

import re
from dataclasses import replace

from harness.guests.os import LogLine, Words
from harness.guests.windows.answers import Fields, entries
from harness.guests.windows.powershell import WindowsShell, command

LEVELS = {0: 6, 1: 2, 2: 3, 3: 4, 4: 6, 5: 7}
"""Windows' levels (always, critical, error, warning, information, verbose) as syslog has them."""

NEVER_STARTED = 1077
"""The exit code of a service that nobody has tried to start since boot."""

DISKS = r"(?i:disk|storahci|stornvme|viostor|vioscsi|iastor\w*|atapi|msahci)"
FILE_SYSTEM = r"(?:Microsoft-Windows-)?Ntfs"

DAMAGE = rf"^(?:{DISKS} (?:7|11|51|129|153)|{FILE_SYSTEM} (?:55|131|132|133|137|140)):"
"""Bad blocks, controller errors, errors while paging, resets, retries; damage that NTFS found."""

BUG_CHECK = r"^(?:BugCheck|Microsoft-Windows-WER-SystemErrorReporting) 1001:"


def _event(name: str) -> re.Pattern[str]:
    return re.compile(f"^{re.escape(name)}:")


WORDS = Words(
    begins=_event("Microsoft-Windows-Kernel-General 12"),
    fault=re.compile(rf"{DAMAGE}|{BUG_CHECK}|^Microsoft-Windows-WHEA-Logger \d+:"),
    lockup=re.compile(BUG_CHECK),  # the watchdog of its processors ends in nothing less
    killed=_event("Microsoft-Windows-Resource-Exhaustion-Detector 2004"),
    mounted=_event("Microsoft-Windows-Ntfs 98"),
    damaged=re.compile(DAMAGE),
    repaired=re.compile(rf"^{FILE_SYSTEM} 130:"),
    slept=_event("Microsoft-Windows-Power-Troubleshooter 1"),
)

WORDS_BEFORE_8 = replace(WORDS, mounted=_event("Microsoft-Windows-FilterManager 6"))
"""NTFS itself says nothing of a mount there; the filters do that come up with the volume."""


class WindowsLog(WindowsShell):
    """See harness.guests.os.Log. A line of it is `provider event: message`.

    The message is in the guest's own language: it is the provider and the event's number that tell.
    """

    @property
    def words(self) -> Words:
        """What the log says of things that a case looks for in it."""
        return WORDS_BEFORE_8 if self._kernel and self._kernel < (6, 2) else WORDS

    @property
    def recent_log(self) -> tuple[str, ...]:
        """The program, with its arguments, that prints the newest of the log."""
        return command("recent")

    def kernel_log(self) -> list[LogLine]:
        """The system log of this boot, its newest 2000 entries, the oldest first."""
        events = entries(self.ask("events", seconds=120), "log")
        events.sort(key=lambda event: event.number("RecordId"))
        return [_line(event) for event in events]

    def running_units(self) -> set[str]:
        """The services that run now, and that Windows keeps running from its start on."""
        return {s.text("Name") for s in self._kept_running() if s.text("State") == "Running"}

    def failed_units(self) -> list[str]:
        """The services that should run, and ended with an error."""
        return [
            service.text("Name")
            for service in self._kept_running()
            if service.text("State") == "Stopped"
            and service.number("ExitCode") not in (0, NEVER_STARTED)
        ]

    def _kept_running(self) -> list[Fields]:
        return [
            service
            for service in entries(self.ask("services"), "services")
            if service.text("StartMode") == "Auto"
            and not service.flag("Delayed")
            and not service.flag("Triggered")
        ]


def _line(event: Fields) -> LogLine:
    level = LEVELS.get(event.number("Level"), 6)
    message = " ".join(event.text("Message").split())
    return LogLine(level, f"{event.text('ProviderName')} {event.number('Id')}: {message}")
