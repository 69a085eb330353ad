"""Programs of a Linux guest for cases that are about running programs."""

from __future__ import annotations

from harness.guests.os import Program

MEBIBYTE = (
    "head -c 1048576 /dev/urandom > /dev/shm/bytes; sha256sum < /dev/shm/bytes >&2;"
    " cat /dev/shm/bytes; rm /dev/shm/bytes"
)

SAY = 'echo "$1"; echo "$2" >&2; exit "$3"'


class LinuxPrograms:
    """See harness.guests.os.Programs."""

    def succeeding(self) -> Program:
        """A program that prints nothing and exits with 0."""
        return Program(("true",))

    def saying(self, output: str, errors: str, *, status: int) -> Program:
        """A program that prints a line on both streams and exits with a status."""
        return Program(("sh", "-c", SAY, "sh", output, errors, str(status)))

    def random_mebibyte(self) -> Program:
        """A program that prints a MiB of random bytes; the first word on stderr: their SHA-256."""
        return Program(("sh", "-c", MEBIBYTE))

    def lasting(self, name: str) -> Program:
        """A program that runs for ten minutes with `name` among its arguments."""
        return Program(("sh", "-c", "sleep 600; :", name))
