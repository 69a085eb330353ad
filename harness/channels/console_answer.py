"""What a shell prints on a console that others write to as well, put together from its lines."""

from __future__ import annotations

import re
from itertools import count, takewhile

from harness.errors import ChannelError

ANSWER_LIMIT = 32 * 1024 * 1024
"""Bytes of base64 of one answer; what is longer is not read."""

LINE_LIMIT = 16 * 1024
"""Bytes of one line; what is longer is none of the answer's."""


class ConsoleAnswer:
    """The lines of one answer, each with its number and a nonce on both sides.

    A line that others wrote into is missed, and heard when the answer is printed again.
    """

    def __init__(self, nonce: str) -> None:
        word = re.escape(nonce.encode())
        self._line = re.compile(word + rb"-(\d{1,7})-([A-Za-z0-9+/=-]+)-\1-" + word)
        self._end = re.compile(word + rb"-(\d{1,9})-" + word)
        self._lines: dict[int, bytes] = {}
        self._length = 0  # of all lines
        self._rest = b""
        self.ends = 0
        """How often the answer was printed to its end."""
        self.whole: bytes | None = None
        """The answer without its line ends, once all of it was heard."""

    @staticmethod
    def request(nonce: str) -> str:
        """The command line that prints what the shell has in `said`."""
        # In two halves, so that the typed line itself never looks like an answer.
        return (
            f'n={nonce[:4]}""{nonce[4:]}; printf "%s\\n" "$said" | sed = |'
            ' sed "N;s/\\(.*\\)\\n\\(.*\\)/$n-\\1-\\2-\\1-$n/"; echo "$n-${#said}-$n"'
        )

    def hear(self, data: bytes) -> None:
        """Take what came on the console, each byte once. Raises ChannelError where it is long."""
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
        """Keep the whole answer, where its lines are all there and as long together as it said."""
        present = list(takewhile(self._lines.__contains__, count(1)))
        whole = b"\n".join(self._lines[number] for number in present)
        if len(whole) == length:
            self.whole = whole.replace(b"\n", b"")
