"""The crash dumps of a Linux guest: the service that takes them, and what it left."""

from __future__ import annotations

from harness.guests.guest import Guest

SERVICES = ("kdump-tools.service", "kdump.service")
"""Debian's and Ubuntu's, and everybody else's."""

FIND = """find /var/crash -type f '(' -name 'dump.*' -o -name 'vmcore*' ')' ! -name '*.txt' \
2>/dev/null; :"""

READ = """log=/run/guestcert-dmesg; whole=/var/crash/guestcert-whole; rm -f "$log" "$whole"
{ makedumpfile --dump-dmesg "$1" "$log" ||
{ makedumpfile -R "$whole" <"$1" && makedumpfile --dump-dmesg "$whole" "$log"; }; } >/dev/null 2>&1
rm -f "$whole"; cat "$log" 2>/dev/null; :"""
"""Debian writes a dump through a pipe, in a flattened form that must be put in order first (-R)."""


class CrashDumps:
    """What takes a dump of the guest's memory when its kernel dies.

    Raises NotApplicable for a guest that is no Linux.
    """

    def __init__(self, guest: Guest) -> None:
        self._linux = guest.linux

    def service(self) -> str | None:
        """The unit that arms the crash kernel; None where the guest has none."""
        for name in SERVICES:
            if self._linux.succeeds("systemctl", "cat", name):
                return name
        return None

    def enable(self, service: str) -> bool:
        """Have that unit started at each boot from the next one on; whether that went well."""
        return self._linux.succeeds("systemctl", "enable", service)

    def armed(self) -> bool:
        """Whether a kernel stands ready to be started by a crash."""
        return self._linux.read("/sys/kernel/kexec_crash_loaded").strip() == "1"

    def dumping(self) -> bool:
        """Whether what runs is the crash kernel, which still holds the memory of the one before."""
        return self._linux.succeeds("test", "-e", "/proc/vmcore")

    def dumps(self) -> set[str]:
        """The dumps that are there, by their paths."""
        return set(self._linux.sh(FIND).split())

    def kernel_log_in(self, dump: str) -> str:
        """The log of the kernel that died, which is found only in a dump that is whole.

        Empty where makedumpfile does not accept the dump.
        """
        return self._linux.sh(READ, dump, seconds=60)
