"""Carried into a guest: counts the echoes of one TCP connection, which is never reopened.

usage: echo_client.py ADDRESS PORT
It sends a number, waits for its echo, reports `count` with it, and continues with the next one;
`lost` once the connection is. It ends after ten minutes, in case the guest is abandoned.
"""

from __future__ import annotations

import json
import socket
import sys
import threading

SECONDS = 600

PAUSE = 0.5


def count_echoes(address: str, port: int) -> str:
    """Count until the connection is lost; returns the reason."""
    pause = threading.Event()
    try:
        with socket.create_connection((address, port), timeout=SECONDS) as connection:
            for number in range(int(SECONDS / PAUSE)):
                line = f"{number}\n".encode()
                connection.sendall(line)
                if connection.recv(64) != line:
                    return "closed"
                report("count", number)
                pause.wait(PAUSE)
    except OSError as error:
        return str(error)
    return "over"


def report(event: str, value: int | str) -> None:
    """Print an event."""
    print(json.dumps({"event": event, "value": value}), flush=True)


if __name__ == "__main__":
    report("lost", count_echoes(sys.argv[1], int(sys.argv[2])))
