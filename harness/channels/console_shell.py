"""A shell on the serial console: log in, run commands, read their exit status."""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Iterable, Mapping, Sequence

from harness.channels.base import CommandResult
from harness.channels.console import Console, ConsoleExpect
from harness.errors import ChannelError, GuestFailure
from harness.waiting import Deadline, Watch

KERNEL_LINE = r"\[ *\d+\.\d{6}\] .*"
"""What the kernel says on the same console: it does not care for a prompt that stands there."""

LOGIN_PROMPT = rf"(?m)login:\s*(?:{KERNEL_LINE})?$"
PASSWORD_PROMPT = rf"(?m)[Pp]assword:\s*(?:{KERNEL_LINE})?$"
REFUSED = r"[Ll]ogin incorrect"
TYPED_LIMIT = 4000
"""Bytes in one typed line: a Linux terminal cuts a line at 4096."""


class LoginRefused(GuestFailure):
    """The guest refused the name and password."""


class ConsoleShell:
    """Logs in on a console and runs commands there as the administrator, through sudo."""

    def __init__(self, console: Console, *, watches: Iterable[Watch] = ()) -> None:
        self._console = console
        self._watches = tuple(watches)
        self._logged_in = False
        self._prompted = False  # a login prompt stands there that nobody has answered

    def await_login_prompt(self, deadline: Deadline, *, since: int | None = None) -> None:
        """Wait for the login prompt, from `since` on or after pressing Enter."""
        position = self._console.position if since is None else since
        if since is None:
            self._console.send(b"\r")
        self._await(position, LOGIN_PROMPT, "a login prompt", deadline)

    def log_in(self, user: str, password: str, deadline: Deadline) -> None:
        """Log in at a login prompt; raises LoginRefused where the guest refuses, and asks anew."""
        if not self._prompted:
            self.await_login_prompt(deadline)
        self._prompted = False
        position = self._console.position
        self._console.send(user.encode() + b"\r")
        self._await(position, PASSWORD_PROMPT, "the password prompt", deadline)
        position = self._console.position
        self._console.send(password.encode() + b"\r")
        # The greeting differs from one OS to the next: a shell is there once it counts for us.
        shell = ConsoleExpect(self._console, position)
        match = shell.await_any(
            [REFUSED, r"[$#] (\x1b\[[0-9;?]*[a-zA-Z])*$"],
            awaited="a shell prompt",
            deadline=deadline,
            watches=self._watches,
        )
        if match.re.pattern == REFUSED.encode():
            # It comes by itself; an Enter of ours before it would be an empty name to some.
            self._await(position, LOGIN_PROMPT, "the login prompt after a refusal", deadline)
            self._prompted = True
            raise LoginRefused(f"the guest refused the password of {user} on the serial console")
        self._console.send(b"stty -echo; PS1=; PS2=; unset PROMPT_COMMAND; TERM=dumb\r")
        self._logged_in = True

    def log_out(self, deadline: Deadline) -> None:
        """Leave the shell, and wait for the login prompt that the next user will find."""
        position = self._console.position
        self._console.send(b"exit\r")
        self._logged_in = False
        self.await_login_prompt(deadline, since=position)

    def run(
        self,
        arguments: Sequence[str],
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        timeout: float,
    ) -> CommandResult:
        """Run a program. See CommandChannel; output and errors come mixed, as on any terminal."""
        if not self._logged_in or stdin:
            raise ChannelError("the console shell is not logged in, or was given standard input")
        settings = [f"{name}={value}" for name, value in (environment or {}).items()]
        command = shlex.join(["sudo", "-n", "env", *settings, *arguments])
        nonce = secrets.token_hex(8)
        # Printed in two halves, so that the typed line itself never looks like the mark.
        line = (
            f"printf '%s%s\\n' begin- {nonce}; {command} </dev/null 2>&1; "
            f"printf '\\n%s%s-%s-\\n' end- {nonce} $?"
        )
        if len(line) > TYPED_LIMIT:
            raise ChannelError(f"a console takes {TYPED_LIMIT} bytes a line, not {len(line)}")
        position = self._console.position
        self._console.send(line.encode() + b"\r")
        match = self._await(
            position,
            rf"(?s)begin-{nonce}\r*\n(.*?)\r*\nend-{nonce}-(\d+)-",
            f"`{command[:120]}` to end",
            Deadline(timeout),
        )
        output = match.group(1).replace(b"\r\n", b"\n")
        return CommandResult(tuple(arguments), int(match.group(2)), output, b"")

    def _await(self, since: int, pattern: str, awaited: str, deadline: Deadline) -> re.Match[bytes]:
        return ConsoleExpect(self._console, since).await_any(
            [pattern], awaited=awaited, deadline=deadline, watches=self._watches
        )
