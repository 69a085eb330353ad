"""A real HTTP server on this host that serves bytes, and breaks off where it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """What it serves by path; `break_at`: bytes after which the next answers break off."""

    files: dict[str, bytes] = field(default_factory=dict)
    break_at: list[int] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)  # of every request, empty where it named none
    port: int = 0  # a free one
    address: str = ""


@contextmanager
def serving(server: FileServer) -> Iterator[FileServer]:
    """Serve on the loopback until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            server.ranges.append(wanted)
            content = server.files.get(self.path)
            if content is None:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            if wanted and start >= len(content):
                self.send_error(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
                return
            self.send_response(HTTPStatus.PARTIAL_CONTENT if wanted else HTTPStatus.OK)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            end = server.break_at.pop(0) if server.break_at else len(content)
            self.wfile.write(content[start:end])

        def log_message(self, *_: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", server.port), Handler)
    thread = threading.Thread(target=listener.serve_forever, name="file server")
    thread.start()
    server.address = f"http://127.0.0.1:{listener.server_port}"
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
