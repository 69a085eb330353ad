"""Sends frames as a machine's NIC, from the tap that its QEMU holds, and captures them elsewhere.

usage: frames.py INTERFACE
Prints the token of each frame that arrives there, until the token `end` arrives.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import re
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PIDFD_GETFD = 438
TUNGETVNETHDRSZ = 0x800454D7
TOKEN = re.compile(rb"<([a-z0-9 -]+)>")
BROADCAST = "ff:ff:ff:ff:ff:ff"
SECONDS = 30


@dataclass(frozen=True)
class Frame:
    """A broadcast frame that carries a token; `body` makes what follows its header out of it."""

    source: str
    kind: int
    body: Callable[[bytes], bytes]

    def bytes(self, token: str) -> bytes:
        """As it goes over the wire."""
        head = raw(BROADCAST) + raw(self.source) + struct.pack("!H", self.kind)
        return (head + self.body(f"<{token}>".encode())).ljust(60, b"\0")


def raw(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def plain(source: str) -> Frame:
    """One of an experimental protocol (IEEE 802)."""
    return Frame(source, 0x88B5, lambda token: token)


def arp(source: str, sender: str, address: str) -> Frame:
    """A request; the frame's source and the sender that it names may differ."""
    head = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + raw(sender) + socket.inet_aton(address)
    return Frame(source, 0x0806, lambda token: head + b"\0" * 10 + token)


def udp(source: str, address: str, ports: tuple[int, int]) -> Frame:
    def body(token: bytes) -> bytes:
        data = struct.pack("!HHHH", *ports, 8 + len(token), 0) + token
        addresses = socket.inet_aton(address) + socket.inet_aton("255.255.255.255")
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), 1, 0, 64, 17, 0) + addresses
        return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + data

    return Frame(source, 0x0800, body)


def udp_v6(source: str, ports: tuple[int, int]) -> Frame:
    return ipv6(source, 17, lambda token: struct.pack("!HHHH", *ports, 8 + len(token), 0) + token)


def icmp_v6(source: str, kind: int) -> Frame:
    return ipv6(source, 58, lambda token: struct.pack("!BBHI", kind, 0, 0, 0) + token)


def ipv6(source: str, protocol: int, make: Callable[[bytes], bytes]) -> Frame:
    own, group = (socket.inet_pton(socket.AF_INET6, a) for a in ("fe80::1234", "ff02::1"))

    def body(token: bytes) -> bytes:
        data = make(token)
        return struct.pack("!IHBB", 6 << 28, len(data), protocol, 255) + own + group + data

    return Frame(source, 0x86DD, body)


def checksum(header: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(header) // 2}H", header))
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


class Tap:
    """The host's end of a NIC, as the QEMU of a machine that does not run holds it."""

    def __init__(self, machine: str) -> None:
        pid = int(Path(f"/run/libvirt/qemu/{machine}.pid").read_text(encoding="utf-8"))
        (held,) = [
            int(link.name)
            for link in Path(f"/proc/{pid}/fd").iterdir()
            if os.readlink(link) == "/dev/net/tun"
        ]
        process = os.pidfd_open(pid)
        self._file = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, process, held, 0)
        os.close(process)
        if self._file < 0:
            raise OSError(ctypes.get_errno(), "pidfd_getfd")
        size = fcntl.ioctl(self._file, TUNGETVNETHDRSZ, b"\0" * 4)
        self._head = b"\0" * int(struct.unpack("i", size)[0])

    def send(self, frame: Frame, token: str) -> None:
        os.write(self._file, self._head + frame.bytes(token))

    def close(self) -> None:
        os.close(self._file)


def capture(interface: str) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as receiver:
        receiver.bind((interface, 0))
        receiver.settimeout(SECONDS)
        print("ready", flush=True)
        while True:
            found = TOKEN.search(receiver.recv(4096))
            if found:
                print(found[1].decode(), flush=True)
                if found[1] == b"end":
                    return


if __name__ == "__main__":
    capture(sys.argv[1])
