"""Reassembles a shell's answer from the lines of a console with other writers."""

from __future__ import annotations

import re
from itertools import count, takewhile

from harness.errors import ChannelError

ANSWER_LIMIT = 32 * 1024 * 1024
"""Limit of one answer, in bytes of base64."""

LINE_LIMIT = 16 * 1024
"""Limit of one line in bytes; longer lines are not part of an answer."""


class ConsoleAnswer:
    """The lines of one answer, each between its number and a nonce on both sides.

    A line that is interrupted by other output is missed, and read when the answer is reprinted.
    """

    def __init__(self, nonce: str) -> None:
        word = re.escape(nonce.encode())
        self._line = re.compile(word + rb"-(\d{1,7})-([A-Za-z0-9+/=-]+)-\1-" + word)
        self._end = re.compile(word + rb"-(\d{1,9})-" + word)
        self._lines: dict[int, bytes] = {}
        self._length = 0  # of all lines
        self._rest = b""
        self.ends = 0
        """How many times the answer was printed to its end."""
        self.whole: bytes | None = None
        """The answer without line ends, once it is complete."""

    @staticmethod
    def request(nonce: str) -> str:
        """The command line that prints the shell's variable `output`."""
        # In two halves, so that the echo of the typed line never looks like an answer.
        return (
            f'n={nonce[:4]}""{nonce[4:]}; printf "%s\\n" "$output" | sed = |'
            ' sed "N;s/\\(.*\\)\\n\\(.*\\)/$n-\\1-\\2-\\1-$n/"; echo "$n-${#output}-$n"'
        )

    def feed(self, data: bytes) -> None:
        """Process new console output. Raises ChannelError if the answer is too long."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-LINE_LIMIT:]
        for line in lines:
            if found := self._line.search(line[-LINE_LIMIT:]):
                self._take(int(found[1]), found[2])
            elif found := self._end.search(line[-LINE_LIMIT:]):
                self.ends += 1
                self._complete(int(found[1]))

    def _take(self, number: int, text: bytes) -> None:
        self._length += len(text) - len(self._lines.get(number, b""))
        self._lines[number] = text
        if self._length > ANSWER_LIMIT:
            raise ChannelError(f"the console's answer is longer than {ANSWER_LIMIT} bytes")

    def _complete(self, length: int) -> None:
        """Set the whole answer, if all its lines are present and have the stated length."""
        present = list(takewhile(self._lines.__contains__, count(1)))
        whole = b"\n".join(self._lines[number] for number in present)
        if len(whole) == length:
            self.whole = whole.replace(b"\n", b"")
