"""Shell scripts of ours in a Linux guest; values reach them as arguments, never as text."""

from __future__ import annotations

import json
from typing import Any

from harness.errors import ChannelError
from harness.guests.log_rules import LogRules
from harness.guests.os import Runner
from harness.profiles.model import System


class LinuxShell:
    """Runs scripts and programs in the guest as its administrator."""

    def __init__(self, run: Runner, log_rules: LogRules | None = None) -> None:
        self._run = run
        self.log_rules = log_rules or LogRules.of(System.LINUX)

    def sh(self, script: str, *arguments: str, seconds: float = 30) -> str:
        """Output of a shell script of ours that must succeed; `arguments` are $1, $2, ...

        Raises ChannelError where the script fails: an oracle can't be read from nothing.
        """
        result = self._run(["sh", "-c", script, "sh", *arguments], seconds=seconds)
        if result.exit_status != 0:
            said = result.error_text or result.text
            raise ChannelError(
                f"`{script[:80]}` in the guest ended with {result.exit_status}: {said[-300:]!r}"
            )
        return result.text

    def succeeds(self, *arguments: str) -> bool:
        """Whether a program in the guest ends with 0."""
        return self._run(arguments).exit_status == 0

    def read(self, path: str) -> str:
        """A text file of the guest, without the last line end."""
        return self.sh('cat -- "$1"', path)

    def json(self, command: str) -> list[dict[str, Any]]:
        """The objects of the list that a command prints; raises ChannelError where it is none."""
        text = self.sh(command)
        try:
            document = json.loads(text or "[]")
        except (ValueError, RecursionError) as error:
            raise ChannelError(f"`{command}` in the guest gave no JSON: {text[:80]!r}") from error
        if not isinstance(document, list):
            raise ChannelError(f"`{command}` in the guest gave no list: {text[:80]!r}")
        return [entry for entry in document if isinstance(entry, dict)]


def fields(line: str, count: int) -> list[str]:
    """The parts of a line that a script of ours has printed; raises ChannelError for other ones."""
    parts = line.split("|")
    if len(parts) != count:
        raise ChannelError(f"the guest listed {line[:80]!r}, not {count} fields")
    return parts
