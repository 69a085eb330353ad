"""The interface of channels that run commands in a guest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeGuard

from harness.errors import ChannelError


@dataclass(frozen=True)
class CommandResult:
    """The result of a command in the guest; output and errors are the guest's raw bytes."""

    arguments: tuple[str, ...]
    exit_status: int
    output: bytes
    errors: bytes

    @property
    def text(self) -> str:
        """The output, decoded tolerantly, without the last line end."""
        return self.output.decode("utf-8", errors="replace").rstrip("\n")

    @property
    def error_text(self) -> str:
        """The error output, decoded tolerantly, without the last line end."""
        return self.errors.decode("utf-8", errors="replace").rstrip("\n")


def is_integer(value: object, least: int, most: int) -> TypeGuard[int]:
    """Whether a guest's answer is an integer within these bounds; True is not one."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def is_exit_status(value: object) -> TypeGuard[int]:
    """Whether a guest's answer can be an exit status: 32 bits, signed on Windows."""
    return is_integer(value, -(2**31), 2**32 - 1)


class CommandNotStartedError(ChannelError):
    """The guest reported that it could not start the program."""


class CommandTimeoutError(ChannelError):
    """The command did not end in time; the channel has killed it."""


class CommandChannel(Protocol):
    """A channel that runs commands as the guest's administrator."""

    def run(
        self,
        arguments: Sequence[str],
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        timeout: float,
    ) -> CommandResult:
        """Run a program (without a shell) for at most `timeout` seconds.

        Raises ChannelError if the channel itself does not answer.
        """
        ...
