"""Commands that the host runs in a guest, over an injected transport."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Protocol

from harness.channels.base import (
    CommandNotStartedError,
    CommandResult,
    CommandTimeoutError,
    is_exit_status,
)
from harness.errors import ChannelError

OUTPUT_LIMIT = 64 * 1024 * 1024
"""Limit of one stream, in characters of base64."""

PROBE = ("cmd.exe", "/d", "/c", "ver")
"""A program that every Windows has, without side effects."""


class DirectTransport(Protocol):
    """Runs a program in the guest, and returns its result (see DirectCommands)."""

    def __call__(
        self,
        arguments: Sequence[str],
        *,
        stdin: bytes,
        environment: Mapping[str, str],
        timeout: float,
    ) -> Mapping[str, object]:
        """Raises ChannelError if the guest refuses the session."""
        ...


class DirectChannel:
    """Runs commands through the host. See CommandChannel."""

    def __init__(self, transport: DirectTransport) -> None:
        self._transport = transport

    def answers(self, *, timeout: float) -> bool:
        """Whether the guest runs a program within `timeout` seconds."""
        try:
            return self.run(PROBE, timeout=timeout).exit_status == 0
        except ChannelError:
            return False

    def run(
        self,
        arguments: Sequence[str],
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        timeout: float,
    ) -> CommandResult:
        """Run a program in the guest. See CommandChannel.

        Raises CommandNotStartedError if the guest cannot start it, and CommandTimeoutError if it
        was killed because it did not end in time.
        """
        result = self._transport(
            arguments, stdin=stdin, environment=environment or {}, timeout=timeout
        )
        shown = " ".join(arguments)[:120]
        if result.get("end") == "not started":
            message = str(result.get("message"))[:300]
            raise CommandNotStartedError(f"the guest could not start `{shown}`: {message}")
        if result.get("end") == "killed":
            raise CommandTimeoutError(
                f"waited {timeout:.0f} s for `{shown}` to end, and it was killed"
            )
        status = result.get("status")
        if result.get("end") != "ended" or not is_exit_status(status):
            raise ChannelError(f"the guest did not report how `{shown}` ended")
        output, errors = _decoded(result.get("output")), _decoded(result.get("errors"))
        return CommandResult(tuple(arguments), status, output, errors)


def _decoded(data: object) -> bytes:
    if not isinstance(data, str) or len(data) > OUTPUT_LIMIT:
        raise ChannelError("the guest's output is not text, or too long")
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ChannelError(f"the guest's output is not base64: {data[:40]!r}") from error
