"""A shell on the serial console: log in, run commands, read their exit status."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
import shlex
from collections.abc import Iterable, Mapping, Sequence

from harness.channels.base import CommandResult
from harness.channels.console import Console, ConsoleExpect
from harness.errors import ChannelError, GuestFailure
from harness.waiting import Deadline, Watch

KERNEL_LINE = r"\[ *\d+\.\d{6}\].*"
"""What the kernel says on the same console: it does not care for a prompt that stands there."""

LOGIN_PROMPT = rf"(?m)login:\s*(?:{KERNEL_LINE})?$"
PASSWORD_PROMPT = rf"(?m)[Pp]assword:\s*(?:{KERNEL_LINE})?$"
INTERRUPTION = rf"(?:{KERNEL_LINE}\n)*"
"""Whole lines of the kernel's, which come in the middle of what someone else is saying."""

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
        deadline = Deadline(timeout)
        self._type(f'said=$({{ {command} </dev/null 2>&1; echo " $?"; }} | base64 | tr -d "\\n")')
        said = None
        while said is None:
            said = self._said(f"`{command[:120]}` to end", deadline)
        output, _, status = said.rstrip(b"\n").rpartition(b" ")
        if not status.isdigit():
            raise ChannelError(
                f"the shell on the serial console told no exit status of `{command[:120]}`",
                remedy="look whether the guest has base64 and tr, with which it tells them",
                evidence=self._console.log,
            )
        return CommandResult(tuple(arguments), int(status), output, b"")

    def _type(self, line: str) -> None:
        if len(line) > TYPED_LIMIT:
            raise ChannelError(f"a console takes {TYPED_LIMIT} bytes a line, not {len(line)}")
        self._console.send(line.encode() + b"\r")

    def _said(self, awaited: str, deadline: Deadline) -> bytes | None:
        """What the shell keeps in `said`; nothing where others spoke in the middle of it.

        The kernel, systemd and cloud-init write to the same console whenever they like, so it is
        said in letters and digits alone, with its length, as often as it takes.
        """
        nonce = secrets.token_hex(8)
        position = self._console.position
        # Printed in two halves, so that the typed line itself never looks like the mark.
        self._type(f'printf "%s%s-%s-%s-%s%s-\\n" begin- {nonce} "${{#said}}" "$said" end- {nonce}')
        end = INTERRUPTION.join(re.escape(letter) for letter in f"end-{nonce}-")
        self._await(position, end, awaited, deadline)
        told = re.sub(rf"{KERNEL_LINE}\n".encode(), b"", self._console.since(position))
        whole = re.search(rf"begin-{nonce}-(\d+)-([^-]*)-end-{nonce}-".encode(), told)
        if whole is None or int(whole[1]) != len(whole[2]):
            return None
        try:
            return base64.b64decode(whole[2], validate=True)
        except binascii.Error:
            return None

    def _await(self, since: int, pattern: str, awaited: str, deadline: Deadline) -> re.Match[bytes]:
        return ConsoleExpect(self._console, since).await_any(
            [pattern], awaited=awaited, deadline=deadline, watches=self._watches
        )
