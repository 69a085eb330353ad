"""A listener on this host, for TCP and UDP on all of its addresses."""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from harness.errors import HarnessError

TOKEN_BYTES = 2048
"""The most that is read from any sender."""

TURN_SECONDS = 0.2


class HostListener:
    """The tokens that have arrived at one port of this host; each sender chooses its own."""

    def __init__(self, tcp: socket.socket, udp: socket.socket) -> None:
        self.port: int = tcp.getsockname()[1]
        self._received: set[str] = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(tcp, selectors.EVENT_READ, self._accept)
        self._selector.register(udp, selectors.EVENT_READ, self._receive)

    @property
    def received(self) -> frozenset[str]:
        """Every token so far."""
        return frozenset(self._received)

    def serve(self, over: threading.Event) -> None:
        """Receive until `over` is set, then what has arrived by then."""
        with self._selector:
            while not over.is_set():
                for key, _ in self._selector.select(TURN_SECONDS):
                    with contextlib.suppress(OSError):
                        key.data(key.fileobj)

    def _accept(self, server: socket.socket) -> None:
        connection, _ = server.accept()
        self._selector.register(connection, selectors.EVENT_READ, self._read)

    def _read(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        with connection:
            self._receive(connection)

    def _receive(self, connection: socket.socket) -> None:
        self._received.add(connection.recv(TOKEN_BYTES).decode("ascii", "replace"))


@contextmanager
def host_listener() -> Iterator[HostListener]:
    """Listen on a free port, by IPv4 and IPv6, for the duration of the block."""
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(
            socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        )
        udp = stack.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        udp.bind(("::", tcp.getsockname()[1]))
        listener, over = HostListener(tcp, udp), threading.Event()
        thread = threading.Thread(target=listener.serve, args=(over,), daemon=True)
        thread.start()
        try:
            yield listener
        finally:
            over.set()
            thread.join()


def host_addresses(bridge: str) -> list[str]:
    """Every address of this host that the guests on a bridge can address.

    Link-local ones are those of the bridge only: those of other links cannot be addressed from it.
    """
    listed = subprocess.run(
        ["ip", "-json", "address"], capture_output=True, text=True, check=False, timeout=10
    )
    if listed.returncode:
        raise HarnessError(f"this host's addresses cannot be listed: {listed.stderr.strip()}")
    found = []
    for link in json.loads(listed.stdout):
        scopes = ("global", "site", "link") if link["ifname"] == bridge else ("global", "site")
        found += [one["local"] for one in link["addr_info"] if one["scope"] in scopes]
    return found
