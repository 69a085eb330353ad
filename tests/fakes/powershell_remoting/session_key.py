"""The key under which SecureStrings travel, in the layout of Windows' CryptoAPI."""

from __future__ import annotations

import base64
import secrets

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PUBLIC_HEADER = 16  # bytes before the exponent
EXPONENT = 4
SIMPLE_BLOB = bytes.fromhex("010200001066000000a40000")  # an AES-256 key, exchanged under RSA


def exchange(public_key: str) -> tuple[Cipher[modes.CBC], str]:
    """A new session key: the cipher that it makes, and the key for the client alone."""
    blob = base64.b64decode(public_key)
    modulus_at = PUBLIC_HEADER + EXPONENT
    client = rsa.RSAPublicNumbers(
        e=int.from_bytes(blob[PUBLIC_HEADER:modulus_at], "little"),
        n=int.from_bytes(blob[modulus_at:], "little"),
    ).public_key()
    key = secrets.token_bytes(32)
    # The protocol's initialization vector is zero.
    cipher = Cipher(algorithms.AES(key), modes.CBC(bytes(16)))
    encrypted = client.encrypt(key, padding.PKCS1v15())
    return cipher, base64.b64encode(SIMPLE_BLOB + encrypted[::-1]).decode()
