"""Runner: runs programs of a guest for the OS interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from harness.channels.base import CommandResult


class Runner(Protocol):
    """Runs a program in the guest as its administrator."""

    def __call__(
        self, arguments: Sequence[str], *, stdin: bytes = b"", seconds: float = 30
    ) -> CommandResult:
        """Raises ChannelError where no channel answers."""
        ...
