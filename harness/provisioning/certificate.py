"""The certificate of a Windows guest's WinRM over HTTPS, created before the guest."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_FOR = timedelta(days=3650)


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate; `pfx` holds its private key, encrypted with `password`."""

    thumbprint: str  # SHA-1 in hexadecimal; Windows names a certificate by it
    pfx: bytes = field(repr=False)
    password: str = field(repr=False)


def make_certificate(host_name: str) -> Certificate:
    """A certificate for a host, in a format that Windows Vista can read."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host_name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a guest's clock may be a time zone behind
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    password = secrets.token_hex(16)
    # Windows before 10 (1809) cannot open a PFX that is encrypted with AES.
    old = (
        PrivateFormat.PKCS12.encryption_builder()
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())
        .build(password.encode())
    )
    pfx = pkcs12.serialize_key_and_certificates(host_name.encode(), key, certificate, None, old)
    thumbprint = certificate.fingerprint(hashes.SHA1()).hex().upper()
    return Certificate(thumbprint, pfx, password)
