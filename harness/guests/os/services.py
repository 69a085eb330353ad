"""The system's services."""

from __future__ import annotations

from typing import Protocol

from harness.errors import NotApplicable
from harness.guests.answers import Fields, entries
from harness.guests.linux.shell import LinuxShell
from harness.guests.text import bounded_lines
from harness.guests.windows.powershell import WindowsShell

RUNNING = """systemctl list-units --type=service --state=running --plain --no-legend --no-pager |
while read -r unit _; do
systemctl show --property=WantedBy --property=RequiredBy "$unit" | grep -q '=.' && echo "$unit"
done; :"""
"""A service that no unit wants is started on demand, by a socket or by D-Bus, and may exit by
itself when it is no longer used (systemd-fsckd, systemd-hostnamed)."""

NEVER_STARTED = 1077
"""The exit code of a service that was never started since boot."""


class Services(Protocol):
    """The system's services."""

    def running(self) -> set[str]:
        """The services that run and should keep running."""

    def failed(self) -> list[str]:
        """The services that have failed since boot."""


NO_SYSTEMD = "no systemd"

WITH_SYSTEMD = f"command -v systemctl >/dev/null || {{ echo '{NO_SYSTEMD}'; exit 0; }}\n"


class LinuxServices(LinuxShell):
    """See Services. The init system is a facet of the guest: only systemd's is implemented.

    Every method raises NotApplicable where the guest has another one.
    """

    def running(self) -> set[str]:
        """The services that run because a unit wants them; these must not exit by themselves."""
        return set(self._systemd(RUNNING).split())

    def failed(self) -> list[str]:
        """The systemd units that have failed since boot."""
        listed = self._systemd("systemctl list-units --failed --plain --no-legend --no-pager")
        return [line.split()[0] for line in bounded_lines(listed) if line.strip()]

    def exists(self, unit: str) -> bool:
        """Whether the guest has this unit."""
        return self._systemd('systemctl cat "$1" >/dev/null 2>&1 && echo yes || :', unit) == "yes"

    def enable(self, unit: str) -> bool:
        """Enable a unit from the next boot on; returns whether that succeeded."""
        return (
            self._systemd('systemctl enable "$1" >/dev/null 2>&1 && echo yes || :', unit) == "yes"
        )

    def _systemd(self, script: str, *arguments: str) -> str:
        output = self.sh(WITH_SYSTEMD + script, *arguments)
        if output == NO_SYSTEMD:
            raise NotApplicable("the guest's init system is not systemd")
        return output


class WindowsServices(WindowsShell):
    """See Services."""

    def running(self) -> set[str]:
        """The services that run, and that Windows keeps running from its start on."""
        return {s.text("Name") for s in self._kept_running() if s.text("State") == "Running"}

    def failed(self) -> list[str]:
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
