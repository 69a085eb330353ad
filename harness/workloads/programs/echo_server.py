"""Carried into a guest: echoes one TCP connection; needs Python's standard library only.

usage: echo_server.py PORT
Reports `ready` once it listens. It ends after ten minutes, in case the guest is abandoned.
"""

from __future__ import annotations

import json
import socket
import sys

SECONDS = 600


def serve(port: int) -> None:
    """Echo the data of one connection."""
    with socket.create_server(("", port)) as server:
        server.settimeout(SECONDS)
        print(json.dumps({"event": "ready"}), flush=True)
        connection, _ = server.accept()
        with connection:
            connection.settimeout(SECONDS)
            while data := connection.recv(64):
                connection.sendall(data)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
