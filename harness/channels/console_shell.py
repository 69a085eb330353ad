"""A shell on the serial console: logs in, runs commands, reads their exit status."""

from __future__ import annotations

import base64
import binascii
import contextlib
import secrets
import shlex
from collections.abc import Iterable, Mapping, Sequence

from harness.channels.base import CommandResult, CommandTimeoutError, is_exit_status
from harness.channels.console import Console
from harness.channels.console_answer import ConsoleAnswer
from harness.channels.console_dialog import ConsoleDialog
from harness.channels.console_login import log_in, log_out
from harness.errors import ChannelError, GuestTimeout
from harness.waiting import Deadline, Watch

PIECE = 3000
"""Characters of base64 in one typed line: a Linux terminal cuts a line at 4096."""

SHORT = 1000
"""Characters of base64 that are typed before waiting until the shell has read them."""

INTERRUPT = b"\x03\x1c"
"""Control-C, and Control-\\ for a program that ignores it."""

PREPARE = (
    b"stty -echo; PS1=; PS2=; unset PROMPT_COMMAND HISTFILE; TERM=dumb; LC_ALL=C; export LC_ALL\r"
)

RUN = (
    'output=$( { err=$( { { printf %s "$give" | base64 -d |'
    ' eval "$(printf %s "$call" | base64 -d)" 3>&-; echo " $?" >&2; } |'
    ' base64 >&3; } 2>&1 | base64 ); printf "%s\\n%s" - "$err"; } 3>&1 )'
)
"""Runs `call` with the input in `give`, both in base64; stores both streams in `output`."""

MOST_REQUESTS = 8
"""The number of requests for a command's answer without any sign that it was printed."""


class ConsoleShell:
    """Logs in on a console and runs commands there as the administrator, through sudo."""

    def __init__(self, console: Console, *, watches: Iterable[Watch] = ()) -> None:
        self._console = console
        self._watches = tuple(watches)
        self.logged_in = False
        """Whether the shell takes commands, as far as known."""

    def log_in(self, user: str, password: str, deadline: Deadline) -> None:
        """Log in. Raises LoginRefused if the guest refuses, GuestTimeout without a prompt."""
        dialog = self._dialog(deadline)
        log_in(dialog, user, password)
        dialog.send(PREPARE)
        while not dialog.shell_answers():
            pass
        self.logged_in = True

    def log_out(self, deadline: Deadline) -> None:
        """Leave the shell, and wait for the next login prompt."""
        self.logged_in = False
        log_out(self._dialog(deadline))

    def run(
        self,
        arguments: Sequence[str],
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        timeout: float,
    ) -> CommandResult:
        """Run a program in English. See CommandChannel.

        Raises CommandTimeoutError after interrupting a program that did not end in time.
        """
        if not self.logged_in:
            raise ChannelError("the console shell is not logged in")
        settings = [f"{name}={value}" for name, value in (environment or {}).items()]
        command = shlex.join(["sudo", "-n", "env", "LC_ALL=C", *settings, *arguments])
        deadline = Deadline(timeout)
        self._carry("call", command.encode(), deadline)
        self._carry("give", stdin, deadline)
        self._type(RUN)
        return self._result(arguments, self._answer_of(command, deadline), command)

    def _result(self, arguments: Sequence[str], answer: bytes, command: str) -> CommandResult:
        try:
            output, errors = (base64.b64decode(part, validate=True) for part in answer.split(b"-"))
        except (binascii.Error, ValueError):
            output, errors = b"", b""
        errors, _, status = errors.rstrip(b"\n").rpartition(b" ")
        exit_status = int(status) if status.isdigit() and len(status) < 4 else None
        if not is_exit_status(exit_status):
            raise ChannelError(
                f"the shell on the serial console reported no exit status of `{command[:120]}`",
                remedy="check that the guest has base64 and sed, which report it",
                evidence=self._console.log,
            )
        return CommandResult(tuple(arguments), exit_status, output, errors)

    def _carry(self, name: str, data: bytes, deadline: Deadline) -> None:
        """Set a variable of the shell to `data` in base64, which no line editing changes."""
        self._type(f"{name}=")
        encoded = base64.b64encode(data).decode()
        for start in range(0, len(encoded), PIECE):
            self._type(f"{name}=${{{name}}}{encoded[start : start + PIECE]}")
            if len(encoded) > SHORT:
                self._await_shell(deadline)

    def _await_shell(self, deadline: Deadline) -> None:
        """Wait until the shell has read the typed lines: a terminal buffers 4096 bytes."""
        try:
            while not self._dialog(deadline).shell_answers():
                pass
        except GuestTimeout as error:
            raise CommandTimeoutError(error.sentence, evidence=error.evidence) from error

    def _type(self, line: str) -> None:
        self._console.send(line.encode() + b"\r")

    def _answer_of(self, command: str, deadline: Deadline) -> bytes:
        """The shell's variable `output`, requested until it is received completely."""
        nonce, position = secrets.token_hex(8), self._console.position
        answer = ConsoleAnswer(nonce)
        requests, patience = 0, 0.5
        silence: Deadline | None = None
        while answer.whole is None:
            for watch in self._watches:
                watch()
            garbled = answer.ends >= requests or (silence is not None and silence.passed)
            if garbled and requests < MOST_REQUESTS + answer.ends:
                self._type(ConsoleAnswer.request(nonce))
                requests, patience, silence = requests + 1, 2 * patience, None
            if deadline.passed:
                raise self._timeout(command, deadline)
            piece = self._console.read_after(position, min(0.5, deadline.remaining))
            position = piece.end
            answer.feed(piece.data)
            if piece.data:
                silence = Deadline(patience)
            elif not piece.is_open:
                raise ChannelError(f"the console was closed while `{command[:120]}` ran")
        return answer.whole

    def _timeout(self, command: str, deadline: Deadline) -> CommandTimeoutError:
        """Interrupt the program; the shell counts as logged in if it answers afterwards."""
        self._console.send(INTERRUPT)
        with contextlib.suppress(GuestTimeout):
            self.logged_in = self._dialog(Deadline(max(5.0, deadline.seconds / 4))).shell_answers()
        return CommandTimeoutError(
            f"waited {deadline.seconds:.0f} s for `{command[:120]}` to end on the serial console",
            evidence=self._console.log,
        )

    def _dialog(self, deadline: Deadline) -> ConsoleDialog:
        return ConsoleDialog(self._console, self._watches, deadline)
