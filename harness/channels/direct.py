"""Commands that the host itself runs in a guest, over a transport given by others."""

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
"""Characters of base64 of one stream; what is longer is not read."""

PROBE = ("cmd.exe", "/d", "/c", "ver")
"""What every Windows runs, and what changes nothing."""


class DirectTransport(Protocol):
    """Has a program run in the guest, and tells how it ended (see DirectCommands)."""

    def __call__(
        self,
        arguments: Sequence[str],
        *,
        stdin: bytes,
        environment: Mapping[str, str],
        timeout: float,
    ) -> Mapping[str, object]:
        """Raises ChannelError where the guest lets nobody in."""
        ...


class DirectChannel:
    """Runs commands through the host. See CommandChannel."""

    def __init__(self, transport: DirectTransport) -> None:
        self._transport = transport

    def answers(self, *, timeout: float) -> bool:
        """Whether the guest runs a program for us, within `timeout` seconds."""
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

        Raises CommandNotStartedError where the guest cannot start it, and CommandTimeoutError
        where it was killed since it did not end in time.
        """
        told = self._transport(
            arguments, stdin=stdin, environment=environment or {}, timeout=timeout
        )
        shown = " ".join(arguments)[:120]
        if told.get("end") == "not started":
            words = str(told.get("message"))[:300]
            raise CommandNotStartedError(f"the guest could not start `{shown}`: {words}")
        if told.get("end") == "killed":
            raise CommandTimeoutError(
                f"waited {timeout:.0f} s for `{shown}` to end, and it was killed"
            )
        status = told.get("status")
        if told.get("end") != "ended" or not is_exit_status(status):
            raise ChannelError(f"the guest did not tell how `{shown}` ended")
        output, errors = _decoded(told.get("output")), _decoded(told.get("errors"))
        return CommandResult(tuple(arguments), status, output, errors)


def _decoded(data: object) -> bytes:
    if not isinstance(data, str) or len(data) > OUTPUT_LIMIT:
        raise ChannelError("the guest's output is no text, or too long")
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ChannelError(f"the guest's output is no base64: {data[:40]!r}") from error
