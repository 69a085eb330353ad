"""A Linux guest's kernel log, and its services under systemd."""

from __future__ import annotations

import re

from harness.guests.linux.shell import LinuxShell
from harness.guests.os import LogLine, Words

FAULTS = (
    r"\bOops\b|\bBUG:|\bWARNING: CPU|Call Trace:|general protection|Kernel panic"
    r"|hung_task|blocked for more than \d+ seconds|soft lockup|rcu.*detected (?:expedited )?stall"
    r"|I/O error|EXT4-fs error|XFS .*Corruption|Buffer I/O|Remounting filesystem read-only"
    r"|segfault at|Out of memory:|Machine Check|\[Hardware Error\]"
)

RECENT = "journalctl -b -n 400 --no-pager -o short-precise 2>/dev/null || dmesg | tail -n 400"


RUNNING = """systemctl list-units --type=service --state=running --plain --no-legend --no-pager |
while read -r unit _; do
systemctl show --property=WantedBy --property=RequiredBy "$unit" | grep -q '=.' && echo "$unit"
done; :"""
"""What no unit wants is started when somebody asks for it, by a socket or by D-Bus, and may end by
itself when nobody does any more (systemd-fsckd, systemd-hostnamed)."""


class LinuxLog(LinuxShell):
    """See harness.guests.os.Log."""

    words = Words(
        begins=re.compile("Linux version"),
        fault=re.compile(FAULTS),
        lockup=re.compile("soft lockup"),
        killed=re.compile("Out of memory|oom-kill"),
        mounted=re.compile("mounted filesystem"),
        damaged=re.compile(r"EXT4-fs error|XFS.*[Cc]orruption|BTRFS.*error|I/O error"),
        repaired=re.compile("EXT4-fs.*(recovery complete|orphan)"),
        slept=re.compile("suspend exit"),
    )
    recent_log: tuple[str, ...] = ("sh", "-c", RECENT)

    def kernel_log(self) -> list[LogLine]:
        """The kernel log of this boot, with levels."""
        lines = []
        for line in self.sh("dmesg -r", seconds=30).splitlines():
            match = re.match(r"<(\d+)>(.*)", line)
            if match:
                lines.append(LogLine(int(match.group(1)) & 7, match.group(2)))
        return lines

    def running_units(self) -> set[str]:
        """The services that run now because a unit wants them; those may not go by themselves."""
        return set(self.sh(RUNNING).split())

    def failed_units(self) -> list[str]:
        """The systemd units that have failed since boot."""
        listed = self.sh("systemctl list-units --failed --plain --no-legend --no-pager")
        return [line.split()[0] for line in listed.splitlines() if line.strip()]
