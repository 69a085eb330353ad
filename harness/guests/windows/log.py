"""A Windows guest's system log, and its services."""

from __future__ import annotations

from harness.guests.answers import Fields, entries
from harness.guests.log_records import LogLine
from harness.guests.log_rules import LogRules, Mark
from harness.guests.windows.powershell import WindowsShell, command

LEVELS = {0: 6, 1: 2, 2: 3, 3: 4, 4: 6, 5: 7}
"""Windows' levels (always, critical, error, warning, information, verbose) as syslog has them."""

NEVER_STARTED = 1077
"""The exit code of a service that was never started since boot."""

MOUNTED_BEFORE_8 = "^Microsoft-Windows-FilterManager 6:"
"""NTFS itself logs no mount there; the filters that start with the volume do."""


class WindowsLog(WindowsShell):
    """See harness.guests.os.Log. A line of it is `provider event: message`.

    The message is in the guest's language: provider and event number identify it.
    """

    @property
    def log_rules(self) -> LogRules:
        """What its records mean."""
        if self._kernel is None or self._kernel >= (6, 2):
            return self._log_rules
        return self._log_rules.with_mark(Mark.MOUNTED, MOUNTED_BEFORE_8)

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
        """The services that run, and that Windows keeps running from its start on."""
        return {s.text("Name") for s in self._kept_running() if s.text("State") == "Running"}

    def failed_units(self) -> list[str]:
        """The services that should run, and exited with an error."""
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
