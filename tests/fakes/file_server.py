"""A real HTTP(S) server on this host that serves bytes, and misbehaves on demand."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.fakes.powershell_remoting.certificates import Certificate


@dataclass
class FileServer:
    """Served files by path; `break_at`: bytes after which the next answers break off.

    With a certificate it uses HTTPS. `redirects`: addresses by path. `lengths`: Content-Length by
    path; empty means no header. `encodings`: Content-Encoding by path.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    break_at: list[int] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)  # of every request, empty if missing
    redirects: dict[str, str] = field(default_factory=dict)
    lengths: dict[str, str] = field(default_factory=dict)
    encodings: dict[str, str] = field(default_factory=dict)
    accepted: list[str] = field(default_factory=list)  # encodings, of every request
    certificate: Certificate | None = None
    port: int = 0  # a free one
    address: str = ""


@contextmanager
def serving(server: FileServer) -> Iterator[FileServer]:
    """Serve on the loopback until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            server.ranges.append(wanted)
            server.accepted.append(self.headers.get("Accept-Encoding", ""))
            if self.path in server.redirects:
                self.send_response(HTTPStatus.FOUND)
                self.send_header("Location", server.redirects[self.path])
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            content = server.files.get(self.path)
            if content is None:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            if wanted and start >= len(content):
                self.send_error(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
                return
            self.send_response(HTTPStatus.PARTIAL_CONTENT if wanted else HTTPStatus.OK)
            if length := server.lengths.get(self.path, str(len(content) - start)):
                self.send_header("Content-Length", length)
            if encoding := server.encodings.get(self.path):
                self.send_header("Content-Encoding", encoding)
            self.end_headers()
            end = server.break_at.pop(0) if server.break_at else len(content)
            with suppress(OSError):  # the client may hang up early
                self.wfile.write(content[start:end])

        def log_message(self, *_: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", server.port), Handler)
    if server.certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server.certificate.path, server.certificate.key)
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
    thread = threading.Thread(target=listener.serve_forever, name="file server")
    thread.start()
    scheme = "http" if server.certificate is None else "https"
    server.address = f"{scheme}://127.0.0.1:{listener.server_port}"
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
