"""A libvirt console stream as a plain socket.

libvirt's events drive the stream: a thread that blocked in a stream's recv missed the guest's last
bytes until the guest wrote more.
"""

from __future__ import annotations

import contextlib
import socket
import threading

import libvirt

from harness.hypervisors.libvirt.domain import Domain
from harness.hypervisors.libvirt.errors import wrap_errors

CHUNK = 16384
LATER = -2
"""Returned by a stream that would block."""

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
        _Bridge(stream, local, name)
        return remote


class _Bridge:
    """Copies bytes: from the guest in libvirt's event thread, to the guest in a separate thread."""

    def __init__(self, stream: libvirt.virStream, local: socket.socket, name: str) -> None:
        self._stream = stream
        self._local = local
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
        # The guest's end is closed: close the reader's end too.
        with contextlib.suppress(libvirt.libvirtError):
            self._stream.eventRemoveCallback()
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
