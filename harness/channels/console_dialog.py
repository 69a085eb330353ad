"""A dialog on a serial console with other writers.

The kernel, systemd and cloud-init write behind a prompt, and into the middle of a program's
output. No list of their messages is complete, so the dialog probes: it types a random token and
checks whether it is echoed.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

from harness.channels.console import READ_SIZE, Console
from harness.errors import GuestTimeout
from harness.waiting import Deadline, Watch

KEPT = 4 * READ_SIZE
"""The number of newest bytes of output that are searched."""

KILL_LINE = b"\x15"
"""Control-U: deletes the typed line, on terminals, in getty and in shells."""

SETTLED = 0.2
"""Seconds of silence after which an unterminated line counts as a prompt."""

ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]{0,40}[ -/]{0,4}[@-~]|[\]PX^_][^\x07\x1b]{0,400}(?:\x07|\x1b\\)"
    r"|[ -/]{0,4}[0-Z=>c])"
)
"""Terminal control sequences (ECMA-48) in prompts."""


def last_line(text: bytes) -> str:
    """The terminal's last line after printing `text`, without deleted characters."""
    line = re.split(rb"[\r\n]", text[-READ_SIZE:])[-1]
    shown: list[str] = []
    for letter in ESCAPES.sub("", line.decode("utf-8", errors="replace")):
        if letter != "\b":
            shown.append(letter)
        elif shown:
            shown.pop()
    return "".join(shown)


class ConsoleDialog:
    """Types on a console, and reads the output that follows, each byte once, with a deadline."""

    def __init__(self, console: Console, watches: Iterable[Watch], deadline: Deadline) -> None:
        self._console = console
        self._watches = tuple(watches)
        self._deadline = deadline
        self._position = console.position
        self._received = console.since(self._position - KEPT)
        self.awaited = "an answer"
        self.patience = deadline.seconds / 10
        """Seconds to wait for an immediate answer."""

    @property
    def line(self) -> str:
        """The console's last line, as far as it was read."""
        return last_line(self._received)

    def send(self, data: bytes) -> None:
        """Type `data`; from now on only output after it is read."""
        self._position, self._received = self._console.position, b""
        self._console.send(data)

    def receives(self, word: bytes, seconds: float) -> bool:
        """Whether `word` is received within `seconds`, or since the last `send`."""
        end = Deadline(seconds)
        found = word in self._received
        while not found and not end.passed:
            piece = self._read(end.remaining)
            found = word in self._received[-len(piece) - len(word) :]
        return found

    def standing_line(self) -> str:
        """The last line once it is not empty; empty if the console stays silent."""
        silence = Deadline(2 * self.patience)
        while True:
            if self._read(SETTLED):
                silence = Deadline(2 * self.patience)
            elif self.line.strip() or silence.passed:
                return self.line

    def echoes(self) -> bool:
        """Whether typed text is echoed: it is at every prompt except a password's."""
        word = secrets.token_hex(4).encode()
        self.send(KILL_LINE + word)
        found = self.receives(word, self.patience)
        self._console.send(KILL_LINE)
        return found

    def shell_answers(self) -> bool:
        """Whether a shell runs a command; a login would take it for a name or a password."""
        first, second = secrets.token_hex(4).encode(), secrets.token_hex(4).encode()
        # In two halves, so that the echo of the typed line never looks like the answer.
        self.send(KILL_LINE + b"echo " + first + b'""' + second + b"\r")
        return self.receives(first + second, self.patience)

    def _read(self, seconds: float) -> bytes:
        """New output within `seconds`. Raises GuestTimeout once the deadline has passed."""
        end = Deadline(seconds)
        while True:
            for watch in self._watches:
                watch()
            if self._deadline.passed:
                raise self._missed("")
            wait = min(0.5, end.remaining, self._deadline.remaining)
            piece = self._console.read_after(self._position, wait, size=READ_SIZE)
            self._position = piece.end
            self._received = (self._received + piece.data)[-KEPT:]
            if piece.data or end.passed:
                return piece.data
            if not piece.is_open:
                raise self._missed(" (the console is closed)")

    def _missed(self, closed: str) -> GuestTimeout:
        lines = self._received.decode("utf-8", errors="replace").strip().splitlines()
        seen = repr(lines[-1][-160:]) if lines else "nothing"
        return GuestTimeout(
            f"waited {self._deadline.elapsed:.0f} s for {self.awaited} on the serial console"
            f"{closed}, last saw {seen}",
            evidence=self._console.log,
        )
