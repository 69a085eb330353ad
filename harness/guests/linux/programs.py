"""Programs of a Linux guest for cases that are about running programs."""

from __future__ import annotations

from harness.guests.os import Programs

MEBIBYTE = (
    "head -c 1048576 /dev/urandom > /dev/shm/bytes; sha256sum < /dev/shm/bytes >&2;"
    " cat /dev/shm/bytes; rm /dev/shm/bytes"
)

SAY = 'echo "$1"; echo "$2" >&2; exit "$3"'


class LinuxPrograms:
    """See harness.guests.os.Execution."""

    programs = Programs(succeed=("true",), copy=("cat",), random_mebibyte=("sh", "-c", MEBIBYTE))

    def saying(self, output: str, errors: str, *, status: int) -> tuple[str, ...]:
        """A program that says a line on both streams and ends with a status."""
        return ("sh", "-c", SAY, "sh", output, errors, str(status))

    def printing_variable(self, name: str) -> tuple[str, ...]:
        """A program that prints a variable of its environment, and fails where it has none."""
        return ("printenv", name)

    def lasting(self, name: str) -> tuple[str, ...]:
        """A program that lasts ten minutes, with `name` among its arguments."""
        return ("sh", "-c", "sleep 600; :", name)
