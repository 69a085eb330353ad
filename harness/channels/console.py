"""The serial console: drained by a reader from the first byte to the last, waited on by pexpect."""

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
"""Bytes of the console's newest output that waits can look at; the log file keeps more."""

LOG_LIMIT = 64 * 1024 * 1024
"""Bytes that the log file may hold: a guest can flood its console for ever."""

LOG_REMAINDER = 1024 * 1024
"""Bytes, the newest, that stay in the log file when it has reached its limit."""

READ_SIZE = 2048
"""Bytes that a wait takes at a time; with them it looks again at as many that came before."""


if TYPE_CHECKING:  # generic only in its type stubs
    _BytesSpawn = SpawnBase[bytes]
else:
    _BytesSpawn = SpawnBase


class ConsolePiece(NamedTuple):
    """Some output of a console, the position at its end, and whether more can come."""

    data: bytes
    end: int
    is_open: bool


class Console:
    """One serial port: everything it says is logged and kept, whether or not anyone waits."""

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
        """The file that holds what the console said, also before this connection."""
        return self._log

    @property
    def position(self) -> int:
        """Bytes seen so far: a mark for `since` and for a wait that must not see the past."""
        with self._changed:
            return self._seen

    def since(self, position: int) -> bytes:
        """What came after `position`, as far as it is still in memory."""
        with self._changed:
            return self._piece(position, KEPT_IN_MEMORY).data

    def send(self, data: bytes) -> None:
        """Type `data`. Raises ChannelError where the console is closed."""
        try:
            self._stream.sendall(data)
        except OSError as error:
            raise ChannelError(f"the serial console took no input: {error}") from error

    def read_after(
        self, position: int, timeout: float, *, size: int = KEPT_IN_MEMORY
    ) -> ConsolePiece:
        """At most `size` bytes that came after `position`, waiting `timeout` s for some.

        A reader that is behind by more than is kept gets the oldest bytes that are kept.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._seen > position or not self._open, timeout)
            return self._piece(position, size)

    def _piece(self, position: int, size: int) -> ConsolePiece:
        oldest = self._seen - len(self._kept)
        start = max(0, position - oldest)
        data = bytes(self._kept[start : start + size])
        return ConsolePiece(data, oldest + start + len(data), self._open)

    def close(self) -> None:
        """Hang up and wait until the reader has written everything down."""
        with contextlib.suppress(OSError):  # the other side may have hung up before
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
    """Make room in the log, so that a flood leaves some for what comes after it."""
    log.seek(-min(LOG_REMAINDER, log.tell()), os.SEEK_END)
    newest = log.read()
    log.truncate(0)
    log.write(newest)


class ConsoleExpect(_BytesSpawn):
    """pexpect over a Console, reading on from a position.

    A pattern may match as many as READ_SIZE bytes; so much is looked at twice, and no more.
    """

    def __init__(self, console: Console, position: int) -> None:
        self._console = console
        self._position = position
        self._start(position)

    def _start(self, position: int) -> None:
        """Forget what was read, which pexpect would keep for ever, and read on from there."""
        super().__init__(encoding=None, maxread=READ_SIZE, searchwindowsize=2 * READ_SIZE)
        self.delayafterread = None
        self._position = position

    def read_nonblocking(self, size: int = 1, timeout: float | None = -1) -> bytes:
        """What pexpect asks for: at most `size` new bytes, TIMEOUT or EOF."""
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
        """Wait for one of `patterns`; return the match, whose `re.pattern` tells which.

        Raises GuestTimeout where none comes in time, GuestFailure what a watch raises.
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
