"""A libvirt console stream as a plain socket: two threads carry the bytes either way."""

from __future__ import annotations

import contextlib
import socket
import threading

import libvirt

from harness.hypervisors.libvirt.errors import told

CHUNK = 16384


def open_console(connection: libvirt.virConnect, domain: libvirt.virDomain) -> socket.socket:
    """Both directions of the machine's first serial port; closing the socket ends the stream."""
    stream = connection.newStream(0)
    with told(f"opening the console of {domain.name()}"):
        domain.openConsole(None, stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
    ours, theirs = socket.socketpair()
    for name, target in (("out", _guest_to_host), ("in", _host_to_guest)):
        threading.Thread(
            target=target,
            args=(stream, ours),
            name=f"console {name} {domain.name()}",
            daemon=True,
        ).start()
    return theirs


def _guest_to_host(stream: libvirt.virStream, ours: socket.socket) -> None:
    with contextlib.suppress(libvirt.libvirtError, OSError):
        while data := stream.recv(CHUNK):
            ours.sendall(data)
    # The guest's end is gone: whoever reads the socket sees its end too.
    with contextlib.suppress(OSError):
        ours.shutdown(socket.SHUT_RDWR)


def _host_to_guest(stream: libvirt.virStream, ours: socket.socket) -> None:
    with contextlib.suppress(libvirt.libvirtError, OSError):
        while data := ours.recv(CHUNK):
            while data:
                data = data[stream.send(data) :]
    with contextlib.suppress(libvirt.libvirtError):
        stream.abort()
    ours.close()
