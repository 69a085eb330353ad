"""Carried into a guest: sends and receives single packets; needs Python's standard library only.

usage: network_prober.py listen KIND SECONDS ARGUMENTS... | send KIND ARGUMENTS...
       network_prober.py reach tcp|udp INTERFACE PORT ADDRESS=TOKEN...
A listener reports `ready`, then `received` or `timeout`; a sender reports `sent`. It is bounded: a
sender sends five packets to each address, a listener ends after SECONDS, or at SIGTERM.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import struct
import sys
import threading
import time

PORT = 45678
GROUP = "239.255.77.77"
GROUP_V6 = "ff02::7777"
TRIES = 5
PAUSE = 0.2
TURN = 0.2
ETHERTYPE_ALL = 0x0003
ETHERTYPE_ARP = 0x0806
BROADCAST = b"\xff" * 6


def listen(kind: str, seconds: float, interface: str, token: bytes) -> str:
    """Wait for a packet of a kind that holds the token, for `seconds` or until SIGTERM."""
    # Blocked, and polled between two packets: none is lost between receiving and checking.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    listener = _listener(kind, interface)
    end = time.monotonic() + seconds
    report("ready")
    while time.monotonic() < end and signal.SIGTERM not in signal.sigpending():
        if _receives(kind, listener, token, TURN):
            return "received"
    # A packet that has arrived and was not read yet counts too, on a slow guest.
    while (more := _receives(kind, listener, token, 0.0)) is not None:
        if more:
            return "received"
    return "timeout"


def _receives(kind: str, listener: socket.socket, token: bytes, seconds: float) -> bool | None:
    """Whether the next packet within `seconds` holds the token; None without a packet."""
    listener.settimeout(seconds)
    try:
        if kind != "tcp":
            return token in listener.recv(2048)
        connection, _ = listener.accept()
    except OSError:
        return None
    with connection:
        connection.settimeout(5)
        try:
            return token in connection.recv(2048)
        except OSError:
            return False


def _listener(kind: str, interface: str) -> socket.socket:
    if kind in ("arp", "icmp"):
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_ALL))
        raw.bind((interface, 0))
        return raw
    if kind == "tcp":
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("", PORT))
        server.listen()
        return server
    family = socket.AF_INET6 if kind == "ipv6" else socket.AF_INET
    plain = socket.socket(family, socket.SOCK_DGRAM)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    plain.bind(("", PORT))
    if kind == "multicast":
        index = socket.if_nametoindex(interface)
        member = struct.pack("4s4si", socket.inet_aton(GROUP), b"\0" * 4, index)
        plain.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    return plain


def send(kind: str, interface: str, target: str, token: bytes) -> str:
    """Send a few packets of a kind that hold the token to `target`."""
    pace = threading.Event()  # never set: it only spaces the packets
    for _ in range(TRIES):
        # An unreachable neighbour shows in its listener's timeout.
        with contextlib.suppress(OSError):
            _send_once(kind, interface, target, token)
        pace.wait(PAUSE)
    return "sent"


def _send_once(kind: str, interface: str, target: str, token: bytes) -> None:
    if kind in ("arp", "icmp"):
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        raw.bind((interface, 0))
        raw.send(_frame(kind, raw.getsockname()[4], target, token))
        return
    if kind == "tcp":
        with socket.create_connection((target, PORT), timeout=2) as connection:
            connection.sendall(token)
        return
    family = socket.AF_INET6 if kind == "ipv6" else socket.AF_INET
    plain = socket.socket(family, socket.SOCK_DGRAM)
    index = socket.if_nametoindex(interface)
    if kind == "multicast":
        member = struct.pack("4s4si", b"\0" * 4, b"\0" * 4, index)
        plain.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, member)
        plain.sendto(token, (GROUP, PORT))
    elif kind == "ipv6":
        plain.sendto(token, (target, PORT, 0, index))
    else:
        plain.sendto(token, (target, PORT))


def reach(protocol: str, interface: str, port: int, targets: dict[str, str]) -> str:
    """Send its token to each address, by TCP or UDP, to all at once."""
    senders = [
        threading.Thread(target=_reach_one, args=(protocol, interface, port, address, token))
        for address, token in targets.items()
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return "sent"


def _reach_one(protocol: str, interface: str, port: int, address: str, token: str) -> None:
    pace = threading.Event()  # never set: it only spaces the packets
    scope = socket.if_nametoindex(interface) if address.startswith("fe80:") else 0
    target = (address, port, 0, scope) if ":" in address else (address, port)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    for _ in range(TRIES):
        # What does not arrive shows at the host's listener.
        with contextlib.suppress(OSError), socket.socket(family, kind) as client:
            client.settimeout(2)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            client.connect(target)
            client.sendall(token.encode())
        pace.wait(PAUSE)


def _frame(kind: str, own: bytes, target: str, token: bytes) -> bytes:
    """A broadcast frame: an ARP request, or an ICMP echo request, followed by the token."""
    address = socket.inet_aton(target)
    if kind == "arp":
        body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + own + b"\0" * 4 + b"\0" * 6 + address
        return BROADCAST + own + struct.pack("!H", ETHERTYPE_ARP) + body + token
    echo = struct.pack("!BBHHH", 8, 0, 0, 1, 1) + token
    echo = echo[:2] + struct.pack("!H", _checksum(echo)) + echo[4:]
    header = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(echo), 1, 0, 1, 1, 0, _source(target), address
    )
    header = header[:10] + struct.pack("!H", _checksum(header)) + header[12:]
    return BROADCAST + own + struct.pack("!H", 0x0800) + header + echo


def _source(target: str) -> bytes:
    """The IPv4 address from which this guest sends to `target`: any other counts as forged."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unsent:
        unsent.connect((target, PORT))
        return socket.inet_aton(unsent.getsockname()[0])


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def report(event: str) -> None:
    """Print an event."""
    print(json.dumps({"event": event}), flush=True)


def main(arguments: list[str]) -> str:
    """Run the command of the arguments."""
    verb, kind, *rest = arguments
    if verb == "reach":
        targets = dict(target.rsplit("=", 1) for target in rest[2:])
        return reach(kind, rest[0], int(rest[1]), targets)
    if verb == "listen":
        return listen(kind, float(rest[0]), rest[1], rest[2].encode())
    return send(kind, rest[0], rest[1], rest[2].encode())


if __name__ == "__main__":
    report(main(sys.argv[1:]))
