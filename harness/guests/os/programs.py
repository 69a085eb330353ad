"""Programs of the system for cases that run programs."""

from __future__ import annotations

from typing import Protocol

from harness.guests.program import Program
from harness.guests.windows.powershell import WindowsShell

MEBIBYTE = (
    "head -c 1048576 /dev/urandom > /dev/shm/bytes; sha256sum < /dev/shm/bytes >&2;"
    " cat /dev/shm/bytes; rm /dev/shm/bytes"
)

PRINT = 'echo "$1"; echo "$2" >&2; exit "$3"'


class Programs(Protocol):
    """Programs of the system for cases that run programs."""

    def succeeding(self) -> Program:
        """A program that prints nothing and exits with 0."""

    def saying(self, output: str, errors: str, *, status: int) -> Program:
        """A program that prints a line on both streams and exits with a status."""

    def random_mebibyte(self) -> Program:
        """A program that prints a MiB of random bytes; the first word on stderr: their SHA-256."""

    def lasting(self, name: str) -> Program:
        """A program that runs for ten minutes with `name` among its arguments."""


class LinuxPrograms:
    """See Programs."""

    def succeeding(self) -> Program:
        """A program that prints nothing and exits with 0."""
        return Program(("true",))

    def saying(self, output: str, errors: str, *, status: int) -> Program:
        """A program that prints a line on both streams and exits with a status."""
        return Program(("sh", "-c", PRINT, "sh", output, errors, str(status)))

    def random_mebibyte(self) -> Program:
        """A program that prints a MiB of random bytes; the first word on stderr: their SHA-256."""
        return Program(("sh", "-c", MEBIBYTE))

    def lasting(self, name: str) -> Program:
        """A program that runs for ten minutes with `name` among its arguments."""
        return Program(("sh", "-c", "sleep 600; :", name))


class WindowsPrograms(WindowsShell):
    """See Programs."""

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
