"""Programs of a Windows guest for cases that are about running programs."""

from __future__ import annotations

from harness.guests.os import Program
from harness.guests.windows.powershell import WindowsShell


class WindowsPrograms(WindowsShell):
    """See harness.guests.os.Programs."""

    def succeeding(self) -> Program:
        """A program that prints nothing and exits with 0."""
        return Program(("cmd.exe", "/d", "/c", "exit", "0"))

    def saying(self, output: str, errors: str, *, status: int) -> Program:
        """A program that prints a line on both streams and exits with a status."""
        return self.program("saying", output, errors, str(status))

    def random_mebibyte(self) -> Program:
        """A program that prints a MiB of random bytes; the first word on stderr: their SHA-256."""
        return self.program("mebibyte")

    def lasting(self, name: str) -> Program:
        """A program that runs for ten minutes with `name` among its arguments."""
        waiting = ("ping.exe", "-n", "600", "127.0.0.1", ">nul")
        return Program(("cmd.exe", "/d", "/c", *waiting, "&", "rem", name))
