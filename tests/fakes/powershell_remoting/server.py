"""The HTTPS server: connections, requests, and a clean shutdown."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.fakes.powershell_remoting.authentication import Gate, Scheme, Visitor
from tests.fakes.powershell_remoting.certificates import Certificate, self_signed
from tests.fakes.powershell_remoting.envelope import LARGEST
from tests.fakes.powershell_remoting.faults import Faults
from tests.fakes.powershell_remoting.runspaces import Host
from tests.fakes.powershell_remoting.script import ScriptedShell
from tests.fakes.powershell_remoting.service import Service

USER = "guestcert"
PASSWORD = "correct horse"
PATH = "/wsman"
CLOSING_WITHIN = 0.02  # seconds until the listener notices its shutdown


@dataclass(frozen=True)
class Server:
    """A listening server, as tests use it."""

    port: int
    certificate: Certificate
    faults: Faults
    gate: Gate  # its `refusing` closes it
    left: set[str]  # the parameters that stayed in a runspace's global scope
    host: str = "127.0.0.1"


@contextmanager
def serving(
    shell: ScriptedShell,
    folder: Path,
    *,
    accounts: Mapping[str, str] | None = None,
    certificate: Certificate | None = None,
    schemes: Sequence[Scheme] = tuple(Scheme),
    client: Certificate | None = None,
) -> Iterator[Server]:
    """Serve on the loopback until the end of the block; `folder` takes what has to be a file.

    With `client` who holds that certificate is admitted by it.
    """
    certificate = certificate or self_signed(folder)
    gate = Gate(accounts or {USER: PASSWORD}, certificate.digest, folder, schemes)
    host = Host(shell)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate.path, certificate.key)
    if client:
        tls.verify_mode = ssl.CERT_OPTIONAL
        tls.load_verify_locations(client.path)
    listener = _Listener(Service(host), gate, tls, host.broken)
    thread = threading.Thread(
        target=listener.serve_forever, args=(CLOSING_WITHIN,), name="remoting"
    )
    thread.start()
    try:
        yield Server(listener.server_port, certificate, host.faults, gate, host.left)
    finally:
        listener.close(host.faults)
        thread.join()
        if host.broken:
            raise BaseExceptionGroup("the scripted host broke", host.broken)


class _Listener(ThreadingHTTPServer):
    daemon_threads = False  # they are joined

    def __init__(
        self,
        service: Service,
        gate: Gate,
        tls: ssl.SSLContext,
        broken: list[BaseException],
    ) -> None:
        super().__init__(("127.0.0.1", 0), BaseHTTPRequestHandler)
        self._service = service
        self._gate = gate
        self._broken = broken
        self._tls = tls
        self._connections: set[ssl.SSLSocket] = set()
        self._closing = False
        self._lock = threading.Lock()

    def finish_request(self, request: Any, client_address: Any) -> None:
        # The handshake runs in the connection's thread too: a client that is silent, or refuses the
        # certificate, blocks no other.
        with (
            suppress(OSError),  # the client has gone, or it was ordered to be cut
            self._tls.wrap_socket(
                request, server_side=True, do_handshake_on_connect=False
            ) as connection,
            self._known(connection),
        ):
            connection.do_handshake()
            visitor = Visitor(self._gate, certified=bool(connection.getpeercert()))
            _Handler(self._service, visitor, connection, client_address, self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        assert error is not None
        self._broken.append(error)

    def close(self, faults: Faults) -> None:
        self.shutdown()
        self._service.close()
        faults.close()
        with self._lock:
            self._closing = True
            for connection in self._connections:
                _hang_up(connection)
        self.server_close()
        self._service.join()

    @contextmanager
    def _known(self, connection: ssl.SSLSocket) -> Iterator[None]:
        with self._lock:
            if self._closing:
                raise ConnectionAbortedError("the server closes")
            self._connections.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._connections.discard(connection)


def _hang_up(connection: ssl.SSLSocket) -> None:
    # The socket's shutdown: that of TLS would take it from the thread that reads it.
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # the answer leaves in one piece

    def __init__(self, service: Service, visitor: Visitor, *rest: Any) -> None:
        self._service = service
        self._visitor = visitor
        super().__init__(*rest)

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        content = self.rfile.read(length)
        if len(content) < length:
            raise ConnectionAbortedError("the client went away in the midst of its request")
        verdict = self._visitor.judge(self.headers.get("Authorization", ""))
        if self.path != PATH:
            status, answer = HTTPStatus.NOT_FOUND, b""
        elif not verdict.admitted:
            status, answer = HTTPStatus.UNAUTHORIZED, b""
        elif len(content) > LARGEST:
            status, answer = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b""
        else:
            status, answer = self._service.answer(content)
        self._answer(status, answer, verdict.challenges)

    def _answer(self, status: HTTPStatus, content: bytes, challenges: Sequence[str]) -> None:
        self.send_response(status)
        for challenge in challenges:
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Type", "application/soap+xml;charset=UTF-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass
