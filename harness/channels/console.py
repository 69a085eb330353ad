"""The serial console: a reader thread drains it completely; pexpect waits for its output."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import pexpect
from pexpect.spawnbase import SpawnBase

from harness.errors import ChannelError, GuestTimeout
from harness.waiting import Deadline, Watch

KEPT_IN_MEMORY = 2 * 1024 * 1024
"""Bytes of newest output in memory, for waits; the log file keeps more."""

LOG_LIMIT = 64 * 1024 * 1024
"""Limit of the log file in bytes, as a guest can flood its console."""

LOG_REMAINDER = 1024 * 1024
"""Newest bytes that stay in the log file when it reaches its limit."""

READ_SIZE = 2048
"""Bytes that a wait reads at once; it searches them and as many earlier ones again."""


if TYPE_CHECKING:  # generic only in its type stubs
    _BytesSpawn = SpawnBase[bytes]
else:
    _BytesSpawn = SpawnBase


class ConsolePiece(NamedTuple):
    """A piece of console output, the position at its end, and whether more can follow."""

    data: bytes
    end: int
    is_open: bool


class Console:
    """One serial port: all its output is logged, whether or not anything waits for it."""

    def __init__(self, stream: socket.socket, log: Path) -> None:
        self._stream = stream
        self._log = log
        self._kept = bytearray()
        self._seen = 0
        self._open = True
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._drain, name=f"console {log}", daemon=True)
        self._reader.start()

    @property
    def log(self) -> Path:
        """The log file of the console's output, also from before this connection."""
        return self._log

    @property
    def position(self) -> int:
        """The number of bytes read so far: a mark for `since` and for waits on new output."""
        with self._changed:
            return self._seen

    def since(self, position: int) -> bytes:
        """The output after `position`, as far as it is still in memory."""
        with self._changed:
            return self._piece(position, KEPT_IN_MEMORY).data

    def send(self, data: bytes) -> None:
        """Type `data`. Raises ChannelError if the console is closed."""
        try:
            self._stream.sendall(data)
        except OSError as error:
            raise ChannelError(f"the serial console took no input: {error}") from error

    def read_after(
        self, position: int, timeout: float, *, size: int = KEPT_IN_MEMORY
    ) -> ConsolePiece:
        """At most `size` bytes after `position`; waits up to `timeout` s for the first.

        A caller that lags behind the memory limit gets the oldest bytes in memory.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._seen > position or not self._open, timeout)
            return self._piece(position, size)

    def await_end(self, timeout: float) -> bool:
        """Wait up to `timeout` s until all output of a stopped machine is there; True if it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._open, timeout)

    def _piece(self, position: int, size: int) -> ConsolePiece:
        oldest = self._seen - len(self._kept)
        start = max(0, position - oldest)
        data = bytes(self._kept[start : start + size])
        return ConsolePiece(data, oldest + start + len(data), self._open)

    def close(self) -> None:
        """Close the connection, and wait until the reader has logged all output."""
        with contextlib.suppress(OSError):  # the other side may have closed it already
            self._stream.shutdown(socket.SHUT_RDWR)
        self._reader.join(timeout=10)
        self._stream.close()

    def _drain(self) -> None:
        with self._log.open("a+b") as log:
            while True:
                try:
                    data = self._stream.recv(65536)
                except OSError:
                    data = b""
                if log.tell() + len(data) > LOG_LIMIT:
                    _cut_to_newest(log)
                log.write(data)
                log.flush()
                with self._changed:
                    self._kept += data
                    self._seen += len(data)
                    del self._kept[:-KEPT_IN_MEMORY]
                    self._open = bool(data)
                    self._changed.notify_all()
                if not data:
                    return


def _cut_to_newest(log: BinaryIO) -> None:
    """Cut the log to its newest part, so that a flood leaves space for later output."""
    log.seek(-min(LOG_REMAINDER, log.tell()), os.SEEK_END)
    newest = log.read()
    log.truncate(0)
    log.write(newest)


class ConsoleExpect(_BytesSpawn):
    """pexpect over a Console, from a position on.

    A pattern may match up to READ_SIZE bytes; only that much output is searched twice.
    """

    def __init__(self, console: Console, position: int) -> None:
        self._console = console
        self._position = position
        self._start(position)

    def _start(self, position: int) -> None:
        """Drop the read output, which pexpect would keep, and continue from `position`."""
        super().__init__(encoding=None, maxread=READ_SIZE, searchwindowsize=2 * READ_SIZE)
        self.delayafterread = None
        self._position = position

    def read_nonblocking(self, size: int = 1, timeout: float | None = -1) -> bytes:
        """Pexpect's reader: at most `size` new bytes, TIMEOUT or EOF."""
        piece = self._console.read_after(self._position, timeout or 0, size=size)
        if piece.data:
            self._position = piece.end
            return piece.data
        if not piece.is_open:
            raise pexpect.EOF("the serial console was closed")
        raise pexpect.TIMEOUT("nothing new on the serial console")

    def await_any(
        self,
        patterns: Sequence[str],
        *,
        awaited: str,
        deadline: Deadline,
        watches: Iterable[Watch] = (),
    ) -> re.Match[bytes]:
        """Wait for one of `patterns`; return the match, whose `re.pattern` identifies it.

        Raises GuestTimeout if none matches in time; also what a watch raises.
        """
        watches = tuple(watches)
        compiled: list[re.Pattern[bytes] | type[pexpect.EOF] | type[pexpect.TIMEOUT]] = [
            re.compile(pattern.encode()) for pattern in patterns
        ]
        while True:
            for watch in watches:
                watch()
            try:
                self.expect_list(compiled, timeout=min(1.0, deadline.remaining))
            except pexpect.TIMEOUT:
                if not deadline.passed:
                    self._start(self._position - min(READ_SIZE, len(self.before or b"")))
                    continue
                raise self._missed(awaited, deadline, "") from None
            except pexpect.EOF:
                raise self._missed(awaited, deadline, " (the console is closed)") from None
            match = self.match
            assert isinstance(match, re.Match)
            return match

    def _missed(self, awaited: str, deadline: Deadline, closed: str) -> GuestTimeout:
        lines = bytes(self.before or b"").decode("utf-8", errors="replace").strip().splitlines()
        seen = repr(lines[-1][-160:]) if lines else "nothing"
        return GuestTimeout(
            f"waited {deadline.elapsed:.0f} s for {awaited} on the serial console{closed}, "
            f"last saw {seen}",
            evidence=self._console.log,
        )
