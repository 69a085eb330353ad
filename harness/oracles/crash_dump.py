"""Crash dumps of a Linux guest: the service that takes them, and the dumps."""

from __future__ import annotations

from harness.guests.guest import Guest

SERVICES = ("kdump-tools.service", "kdump.service")
"""Debian's and Ubuntu's, and that of all others."""

FIND = """find /var/crash -type f '(' -name 'dump.*' -o -name 'vmcore*' ')' ! -name '*.txt' \
2>/dev/null; :"""

READ = """log=/run/guestcert-dmesg; whole=/var/crash/guestcert-whole; rm -f "$log" "$whole"
{ makedumpfile --dump-dmesg "$1" "$log" ||
{ makedumpfile -R "$whole" <"$1" && makedumpfile --dump-dmesg "$whole" "$log"; }; } >/dev/null 2>&1
rm -f "$whole"; cat "$log" 2>/dev/null; :"""
"""Debian writes a dump through a pipe, in a flattened form that must be rearranged first (-R)."""


class CrashDumps:
    """The service that dumps the guest's memory when its kernel dies, and its dumps.

    Raises NotApplicable for a guest other than Linux with systemd.
    """

    def __init__(self, guest: Guest) -> None:
        self._linux = guest.linux

    def service(self) -> str | None:
        """The unit that arms the crash kernel; None without one."""
        for name in SERVICES:
            if self._linux.services.exists(name):
                return name
        return None

    def enable(self, service: str) -> bool:
        """Enable that unit from the next boot on; returns whether that succeeded."""
        return self._linux.services.enable(service)

    def armed(self) -> bool:
        """Whether a crash kernel is loaded."""
        return self._linux.read("/sys/kernel/kexec_crash_loaded").strip() == "1"

    def dumping(self) -> bool:
        """Whether the crash kernel runs, which still holds the memory of the crashed one."""
        return self._linux.succeeds("test", "-e", "/proc/vmcore")

    def dumps(self) -> set[str]:
        """The paths of the dumps."""
        return set(self._linux.sh(FIND).split())

    def kernel_log_in(self, dump: str) -> str:
        """The log of the kernel that died, which only a complete dump contains.

        Empty where makedumpfile does not accept the dump.
        """
        return self._linux.sh(READ, dump, seconds=60)
