"""A guest behind a serial console: a terminal with a login, a shell, and interruptions."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import socket
import subprocess
import sys
import threading
from dataclasses import astuple, dataclass
from pathlib import Path

GETTY = Path(__file__).with_name("console_getty.py")

SUDO = """#!/bin/sh
shift
exec "$@"
"""


@dataclass(frozen=True)
class Wording:
    """The guest's prompts and messages at login."""

    password: str = "right"
    login: str = "host login: "
    again: str = "host login: "
    asks: str = "Password: "
    refusal: str = "Login incorrect"
    shell_prompt: str = "user@host:~$ "


class ConsoleGuest:
    """Has a real terminal, whose other end is `stream`."""

    def __init__(self, stream: socket.socket, folder: Path, wording: Wording) -> None:
        self._stream = stream
        self.interruptions: list[tuple[bytes, bytes]] = []
        """The expression to interrupt after, and the text: each once, in this order."""
        self._terminal, slave = pty.openpty()
        sudo = folder / "sudo"
        sudo.write_text(SUDO, encoding="utf-8")
        sudo.chmod(0o755)
        self._getty = subprocess.Popen(
            ["setsid", "--ctty", sys.executable, GETTY, *astuple(wording)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={"PATH": f"{folder}:/usr/sbin:/usr/bin:/sbin:/bin"},
        )
        os.close(slave)
        self._threads = [
            threading.Thread(target=target, daemon=True) for target in (self._type, self._speak)
        ]
        for thread in self._threads:
            thread.start()

    def print_raw(self, text: bytes) -> None:
        """Write past the terminal, as a kernel does."""
        self._stream.sendall(text)

    def hang_up(self) -> None:
        """Close the line, and end its readers."""
        with contextlib.suppress(OSError):
            self._stream.shutdown(socket.SHUT_RDWR)
        self._getty.terminate()
        for thread in self._threads:
            thread.join(timeout=10)
        self._getty.wait(timeout=10)
        with contextlib.suppress(OSError):
            os.close(self._terminal)

    def _type(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._stream.recv(4096):
                os.write(self._terminal, data)

    def _speak(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._terminal, 4096):
                self.print_raw(self._interrupted(data))

    def _interrupted(self, data: bytes) -> bytes:
        if self.interruptions:
            where, others = self.interruptions[0]
            if found := re.search(where, data):
                del self.interruptions[0]
                return data[: found.end()] + others + data[found.end() :]
        return data
