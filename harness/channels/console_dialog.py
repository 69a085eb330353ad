"""A dialog on a serial console, which others write to as well, whenever they like.

The kernel, systemd and cloud-init write behind a prompt, and into the middle of what a program
prints. No list of what they write is complete, so the dialog asks: it types a random word and looks
whether it comes back.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

from harness.channels.console import READ_SIZE, Console
from harness.errors import GuestTimeout
from harness.waiting import Deadline, Watch

KEPT = 4 * READ_SIZE
"""Bytes of what was heard last that are looked at."""

KILL_LINE = b"\x15"
"""Control-U: takes back what was typed of a line, on terminals, in getty and in shells."""

SETTLED = 0.2
"""Seconds without a byte after which a line without an end counts as a prompt."""

ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]{0,40}[ -/]{0,4}[@-~]|[\]PX^_][^\x07\x1b]{0,400}(?:\x07|\x1b\\)"
    r"|[ -/]{0,4}[0-Z=>c])"
)
"""Terminal control sequences (ECMA-48), which a prompt is decorated with."""


def last_line(text: bytes) -> str:
    """What stands in the terminal's last line after `text`, without what was taken back."""
    line = re.split(rb"[\r\n]", text[-READ_SIZE:])[-1]
    shown: list[str] = []
    for letter in ESCAPES.sub("", line.decode("utf-8", errors="replace")):
        if letter != "\b":
            shown.append(letter)
        elif shown:
            shown.pop()
    return "".join(shown)


class ConsoleDialog:
    """Types on a console, and hears what comes after it: each byte once, for a limited time."""

    def __init__(self, console: Console, watches: Iterable[Watch], deadline: Deadline) -> None:
        self._console = console
        self._watches = tuple(watches)
        self._deadline = deadline
        self._position = console.position
        self._heard = console.since(self._position - KEPT)
        self.awaited = "an answer"
        self.patience = deadline.seconds / 10
        """Seconds in which an answer that needs no work comes."""

    @property
    def line(self) -> str:
        """The console's last line, as far as it has been heard."""
        return last_line(self._heard)

    def send(self, data: bytes) -> None:
        """Type `data`; what is heard from now on came after it."""
        self._position, self._heard = self._console.position, b""
        self._console.send(data)

    def hears(self, word: bytes, seconds: float) -> bool:
        """Whether `word` comes within `seconds`, or has come since the last `send`."""
        end = Deadline(seconds)
        found = word in self._heard
        while not found and not end.passed:
            piece = self._read(end.remaining)
            found = word in self._heard[-len(piece) - len(word) :]
        return found

    def standing_line(self) -> str:
        """The last line, once something stands there; nothing where the console stays silent."""
        silence = Deadline(2 * self.patience)
        while True:
            if self._read(SETTLED):
                silence = Deadline(2 * self.patience)
            elif self.line.strip() or silence.passed:
                return self.line

    def echoes(self) -> bool:
        """Whether what is typed is shown: at a prompt it is, but for a password's."""
        word = secrets.token_hex(4).encode()
        self.send(KILL_LINE + word)
        found = self.hears(word, self.patience)
        self._console.send(KILL_LINE)
        return found

    def shell_answers(self) -> bool:
        """Whether a shell runs a command there; a login takes the line for a name or a password."""
        first, second = secrets.token_hex(4).encode(), secrets.token_hex(4).encode()
        # In two halves, so that the typed line itself never looks like the answer.
        self.send(KILL_LINE + b"echo " + first + b'""' + second + b"\r")
        return self.hears(first + second, self.patience)

    def _read(self, seconds: float) -> bytes:
        """What comes within `seconds`; raises GuestTimeout once the deadline has passed."""
        end = Deadline(seconds)
        while True:
            for watch in self._watches:
                watch()
            if self._deadline.passed:
                raise self._missed("")
            wait = min(0.5, end.remaining, self._deadline.remaining)
            piece = self._console.read_after(self._position, wait, size=READ_SIZE)
            self._position = piece.end
            self._heard = (self._heard + piece.data)[-KEPT:]
            if piece.data or end.passed:
                return piece.data
            if not piece.is_open:
                raise self._missed(" (the console is closed)")

    def _missed(self, closed: str) -> GuestTimeout:
        lines = self._heard.decode("utf-8", errors="replace").strip().splitlines()
        seen = repr(lines[-1][-160:]) if lines else "nothing"
        return GuestTimeout(
            f"waited {self._deadline.elapsed:.0f} s for {self.awaited} on the serial console"
            f"{closed}, last saw {seen}",
            evidence=self._console.log,
        )
