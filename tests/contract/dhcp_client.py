"""Asks for an address by DHCP under any MAC and client id, with nothing but Python's own library.

usage: dhcp_client.py INTERFACE MAC CLIENT_ID_HEX
Prints the address that it was leased (RFC 2131).
"""

from __future__ import annotations

import secrets
import socket
import struct
import sys

DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
COOKIE = b"\x63\x82\x53\x63"
SERVER_PORT, CLIENT_PORT = 67, 68
SECONDS = 10


def ask(interface: str, mac: str, client_id: bytes) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        client.settimeout(SECONDS)
        client.bind(("", CLIENT_PORT))
        transaction = secrets.token_bytes(4)
        offer = _exchange(client, DISCOVER, transaction, mac, client_id, b"")
        address = offer[16:20]
        server = _option(offer, 54)
        chosen = b"\x32\x04" + address + b"\x36\x04" + server
        return socket.inet_ntoa(
            _exchange(client, REQUEST, transaction, mac, client_id, chosen)[16:20]
        )


def _exchange(
    client: socket.socket, kind: int, transaction: bytes, mac: str, client_id: bytes, more: bytes
) -> bytes:
    hardware = bytes.fromhex(mac.replace(":", ""))
    head = struct.pack("!BBBB4sHH", 1, 1, 6, 0, transaction, 0, 0x8000) + b"\0" * 16
    options = bytes([53, 1, kind, 61, len(client_id)]) + client_id + more + b"\xff"
    message = head + hardware.ljust(16, b"\0") + b"\0" * 192 + COOKIE + options
    client.sendto(message, ("255.255.255.255", SERVER_PORT))
    while True:
        answer = client.recv(2048)
        if answer[4:8] == transaction and _option(answer, 53)[0] in (OFFER, ACK):
            return answer


def _option(message: bytes, wanted: int) -> bytes:
    rest = message[240:]
    while rest and rest[0] != 255:
        code, length = rest[0], rest[1]
        if code == wanted:
            return rest[2 : 2 + length]
        rest = rest[2 + length :]
    return b""


if __name__ == "__main__":
    print(ask(sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3])))
