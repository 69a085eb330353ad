"""Programs of a Windows guest for cases that are about running programs."""

from __future__ import annotations

from harness.guests.os import Program
from harness.guests.windows.powershell import WindowsShell


class WindowsPrograms(WindowsShell):
    """See harness.guests.os.Execution."""

    def succeeding(self) -> Program:
        """One that ends with 0 and says nothing."""
        return Program(("cmd.exe", "/d", "/c", "exit", "0"))

    def saying(self, output: str, errors: str, *, status: int) -> Program:
        """One that says a line on both streams and ends with a status."""
        return self.program("saying", output, errors, str(status))

    def random_mebibyte(self) -> Program:
        """One that says a MiB of random bytes, and their SHA-256 as its errors' first word."""
        return self.program("mebibyte")

    def lasting(self, name: str) -> Program:
        """One that lasts ten minutes, with `name` among its arguments."""
        waiting = ("ping.exe", "-n", "600", "127.0.0.1", ">nul")
        return Program(("cmd.exe", "/d", "/c", *waiting, "&", "rem", name))
