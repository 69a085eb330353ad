"""A Linux guest's kernel log, and its services under systemd."""

from __future__ import annotations

import re

from harness.guests.linux.shell import LinuxShell
from harness.guests.log_records import LogLine
from harness.guests.text import bounded_lines

INFORMATION = 6
"""syslog's level for a line without a level."""

RECENT = "journalctl -b -n 400 --no-pager -o short-precise 2>/dev/null || dmesg | tail -n 400"


RUNNING = """systemctl list-units --type=service --state=running --plain --no-legend --no-pager |
while read -r unit _; do
systemctl show --property=WantedBy --property=RequiredBy "$unit" | grep -q '=.' && echo "$unit"
done; :"""
"""A service that no unit wants is started on demand, by a socket or by D-Bus, and may exit by
itself when it is no longer used (systemd-fsckd, systemd-hostnamed)."""


LINE = re.compile(r"(?:<(\d{1,4})>)?(.*)")


class LinuxLog(LinuxShell):
    """See harness.guests.os.Log. FreeBSD's `dmesg` has levels for user space's lines only."""

    recent_log: tuple[str, ...] = ("sh", "-c", RECENT)

    def kernel_log(self) -> list[LogLine]:
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

    def running_units(self) -> set[str]:
        """The services that run because a unit wants them; these must not exit by themselves."""
        return set(self.sh(RUNNING).split())

    def failed_units(self) -> list[str]:
        """The systemd units that have failed since boot."""
        listed = self.sh("systemctl list-units --failed --plain --no-legend --no-pager")
        return [line.split()[0] for line in bounded_lines(listed) if line.strip()]
