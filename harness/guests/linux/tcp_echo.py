"""Carried into a guest: one end of a lasting TCP connection; needs Python's standard library only.

usage: tcp_echo.py server PORT | client ADDRESS PORT FILE
The server echoes; the client sends a number, waits for its echo, writes it into FILE, and continues
with the next one over the same connection. FILE ends with `lost` once the connection is lost.
"""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path

SECONDS = 600
"""Both ends exit after so long, in case the guest is abandoned."""

PAUSE = 0.5


def serve(port: int) -> None:
    """Echo the data of one connection."""
    with socket.create_server(("", port)) as server:
        server.settimeout(SECONDS)
        print("ready", flush=True)
        connection, _ = server.accept()
        with connection:
            connection.settimeout(SECONDS)
            while data := connection.recv(64):
                connection.sendall(data)


def count_echoes(address: str, port: int, file: Path) -> None:
    """Count over one connection, which is never reopened."""
    result = "lost"
    pause = threading.Event()
    try:
        with socket.create_connection((address, port), timeout=SECONDS) as connection:
            for number in range(int(SECONDS / PAUSE)):
                line = f"{number}\n".encode()
                connection.sendall(line)
                if connection.recv(64) != line:
                    return
                _write(file, str(number))
                pause.wait(PAUSE)
    except OSError as error:
        result = f"lost: {error}"
    finally:
        _write(file, result)


def _write(file: Path, text: str) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    if verb == "server":
        serve(int(rest[0]))
    else:
        count_echoes(rest[0], int(rest[1]), Path(rest[2]))
