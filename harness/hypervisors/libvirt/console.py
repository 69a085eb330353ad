"""A libvirt console stream as a plain socket.

libvirt's events drive the stream: a thread that blocked in a stream's recv missed the guest's last
bytes until the guest wrote more.

When a machine stops, libvirt aborts its streams, and what it had not read from the terminal is
lost: often a guest's last line. So QEMU also copies its output, through virtlogd, to a file, from
which the rest is added at the end.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

import libvirt

from harness.hypervisors.libvirt.domain import Domain
from harness.hypervisors.libvirt.errors import wrap_errors
from harness.hypervisors.libvirt.logs import console_copy
from harness.waiting import let_pass

CHUNK = 16384
LATER = -2
"""Returned by a stream that would block."""

REST_LIMIT = 1024 * 1024
"""Bytes of output at most that are added at the end of a stream."""

COMPARED = 256
"""Bytes before the rest in which the copy must agree with the stream."""

STABLE_SECONDS = 0.5
"""A copy that did not grow for so long is complete."""

STABLE_WITHIN = 10
"""Periods of STABLE_SECONDS after which a copy that still grows is taken as it is."""

FROM_GUEST = (
    libvirt.VIR_STREAM_EVENT_READABLE
    | libvirt.VIR_STREAM_EVENT_HANGUP
    | libvirt.VIR_STREAM_EVENT_ERROR
)


class LibvirtConsole:
    """See SerialConsole. Closing the socket ends the stream."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def open(self) -> socket.socket:
        """See SerialConsole."""
        name = self._domain.name
        stream = self._domain.connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
        with wrap_errors(f"opening the console of {name}"):
            self._domain.handle.openConsole(None, stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
        local, remote = socket.socketpair()
        _Bridge(stream, local, name, _Copy(console_copy(self._domain.connection, name)))
        return remote


class _Copy:
    """The copy of a console's output in a file, as far as this process may read it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._start = self._size()
        self._passed = 0
        self._newest = b""

    def passed_on(self, data: bytes) -> None:
        """Note output that the stream delivered."""
        self._passed += len(data)
        self._newest = (self._newest + data)[-COMPARED:]

    def rest(self) -> bytes:
        """The output after what the stream delivered; empty where the copy does not continue it.

        It does not where the file was unreadable, or virtlogd started another one for a flood.
        """
        self._await_stable()
        end = self._start + self._passed
        try:
            with self._file.open("rb") as copy:
                copy.seek(end - len(self._newest))
                if copy.read(len(self._newest)) != self._newest:
                    return b""
                return copy.read(REST_LIMIT)
        except OSError:
            return b""

    def _await_stable(self) -> None:
        size = -1
        for _ in range(STABLE_WITHIN):
            if size == (size := self._size()):
                return
            let_pass(STABLE_SECONDS, ())

    def _size(self) -> int:
        try:
            return self._file.stat().st_size
        except OSError:
            return 0


class _Bridge:
    """Copies bytes: from the guest in libvirt's event thread, to the guest in a separate thread."""

    def __init__(
        self, stream: libvirt.virStream, local: socket.socket, name: str, copy: _Copy
    ) -> None:
        self._stream = stream
        self._local = local
        self._copy = copy
        self._name = name
        self._writable = threading.Event()
        stream.eventAddCallback(FROM_GUEST, self._happened, None)
        threading.Thread(target=self._host_to_guest, name=f"console in {name}", daemon=True).start()

    def _happened(self, stream: libvirt.virStream, events: int, _opaque: object) -> None:
        if events & libvirt.VIR_STREAM_EVENT_WRITABLE:
            stream.eventUpdateCallback(FROM_GUEST)
            self._writable.set()
        if events & FROM_GUEST:
            self._guest_to_host()

    def _guest_to_host(self) -> None:
        with contextlib.suppress(libvirt.libvirtError, OSError):
            while data := self._stream.recv(CHUNK):
                if data == LATER:
                    return
                self._local.sendall(data)
                self._copy.passed_on(data)
        with contextlib.suppress(libvirt.libvirtError):
            self._stream.eventRemoveCallback()
        # In a thread of its own: it waits, and libvirt's events must not.
        threading.Thread(target=self._end, name=f"end of {self._name}", daemon=True).start()

    def _end(self) -> None:
        """The guest's end is closed: pass on the rest, and close the reader's end too."""
        with contextlib.suppress(OSError):
            self._local.sendall(self._copy.rest())
        with contextlib.suppress(OSError):
            self._local.shutdown(socket.SHUT_RDWR)
        self._writable.set()

    def _host_to_guest(self) -> None:
        with contextlib.suppress(libvirt.libvirtError, OSError):
            while data := self._local.recv(CHUNK):
                while data:
                    data = data[self._send(data) :]
        with contextlib.suppress(libvirt.libvirtError):
            self._stream.eventRemoveCallback()
        with contextlib.suppress(libvirt.libvirtError):
            self._stream.abort()
        self._local.close()

    def _send(self, data: bytes) -> int:
        """Number of bytes sent; waits until the stream is writable where it is 0."""
        self._writable.clear()
        sent: int = self._stream.send(data)
        if sent != LATER:
            return sent
        self._stream.eventUpdateCallback(FROM_GUEST | libvirt.VIR_STREAM_EVENT_WRITABLE)
        self._writable.wait()
        return 0
