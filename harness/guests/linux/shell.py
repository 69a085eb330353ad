"""Shell scripts in a Linux guest; values are passed as arguments, never inserted into the text."""

from __future__ import annotations

from harness.errors import ChannelError
from harness.guests.runner import Runner

ANSWER_LIMIT = 8 * 1024 * 1024
"""Bytes of a script's output; the longest true one, a kernel's log, is a fraction of it."""


class LinuxShell:
    """Runs scripts and programs in the guest as its administrator."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def sh(self, script: str, *arguments: str, seconds: float = 30) -> str:
        """Output of a shell script that must succeed; `arguments` are $1, $2, ...

        Raises ChannelError where the script fails, since no fact can be read from its output, or
        prints more than ANSWER_LIMIT.
        """
        result = self._run(["sh", "-c", script, "sh", *arguments], seconds=seconds)
        if result.exit_status != 0:
            output = result.error_text or result.text
            raise ChannelError(
                f"`{script[:80]}` in the guest ended with {result.exit_status}: {output[-300:]!r}"
            )
        if len(result.output) > ANSWER_LIMIT:
            raise ChannelError(
                f"`{script[:80]}` in the guest printed {len(result.output)} bytes, "
                f"more than {ANSWER_LIMIT} are not read"
            )
        return result.text

    def succeeds(self, *arguments: str) -> bool:
        """Whether a program in the guest ends with 0."""
        return self._run(arguments).exit_status == 0

    def read(self, path: str) -> str:
        """A text file of the guest, without the last line end."""
        return self.sh('cat -- "$1"', path)
