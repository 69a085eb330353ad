"""Address and login of a Hyper-V host: `hyperv://[USER@]HOST[:PORT]/[?auth=...]`."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

import keyring
from keyring.errors import KeyringError

from harness.errors import UsageError

SCHEME = "hyperv"
HTTPS_PORT = 5986
"""WinRM's port for HTTPS; guestcert does not use WinRM over plain HTTP."""

PASSWORD = "GUESTCERT_HYPERV_PASSWORD"
"""The environment variable that may hold the password."""

SERVICE = "guestcert-hyperv"
"""The keyring's service name; each password is stored under USER@HOST."""

FORM = "hyperv://USER@HOST/?auth=ntlm&ca=FILE"


class Authentication(StrEnum):
    """Authentication methods, by pypsrp's names."""

    NEGOTIATE = "negotiate"
    KERBEROS = "kerberos"
    NTLM = "ntlm"
    BASIC = "basic"
    CERTIFICATE = "certificate"


OPTIONS = ("auth", "ca", "certificate", "key")


@dataclass(frozen=True)
class Address:
    """A parsed address, with the password from the environment or the keyring."""

    host: str
    port: int = HTTPS_PORT
    user: str | None = None
    auth: Authentication = Authentication.NEGOTIATE
    ca: Path | None = None  # the certificate authority of the host's certificate
    certificate: Path | None = None  # the user's, with its key, instead of a password
    key: Path | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def uri(self) -> str:
        """The address as a URI, without any secret."""
        user = f"{quote(self.user)}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port != HTTPS_PORT else ""
        return f"{SCHEME}://{user}{host}{port}/"


def parse_address(uri: str) -> Address:
    """Parse `uri`; the password comes from the environment or the keyring.

    Raises UsageError for an invalid address, and for a password in the URI.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:  # its message may hold a password
        raise UsageError("the hypervisor's address has no valid host", remedy=FORM) from None
    _refuse_password(parts)
    options = _options(parts)
    host, port = _endpoint(uri, parts)
    auth = _authentication(options.get("auth"), "certificate" in options)
    user = unquote(parts.username) if parts.username else None
    address = Address(
        host=host,
        port=port,
        user=user,
        auth=auth,
        ca=_file(options, "ca"),
        certificate=_file(options, "certificate"),
        key=_file(options, "key"),
        password=_password(user, host) if user else None,
    )
    _check(address)
    return address


def _refuse_password(parts: SplitResult) -> None:
    if parts.password is not None:
        raise UsageError(
            "the hypervisor's address holds a password, which would appear in logs and reports",
            remedy=f"leave it out, and set {PASSWORD}, or run: keyring set {SERVICE} USER@HOST",
        )


def _options(parts: SplitResult) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown or parts.path not in ("", "/"):
        wrong = f"the option {unknown[0]!r}" if unknown else f"the path {parts.path!r}"
        raise UsageError(
            f"{wrong} is not valid in a Hyper-V host's address",
            remedy=f"{FORM}; its options are {', '.join(OPTIONS)}",
        )
    return options


def _endpoint(uri: str, parts: SplitResult) -> tuple[str, int]:
    try:
        port = parts.port or HTTPS_PORT
    except ValueError:
        raise UsageError(f"the port in {uri!r} is not a port number", remedy=FORM) from None
    if not parts.hostname:
        raise UsageError(f"{uri!r} does not name a host", remedy=FORM)
    return parts.hostname, port


def _authentication(name: str | None, has_certificate: bool) -> Authentication:
    if name is None:
        return Authentication.CERTIFICATE if has_certificate else Authentication.NEGOTIATE
    try:
        return Authentication(name)
    except ValueError:
        raise UsageError(
            f"auth={name} is not an authentication method",
            remedy=f"one of {', '.join(Authentication)}",
        ) from None


def _file(options: dict[str, str], name: str) -> Path | None:
    if name not in options:
        return None
    path = Path(options[name]).expanduser()
    if not path.is_file():
        raise UsageError(f"{name}={path} is not a file", remedy="give the path of a PEM file")
    return path.resolve()


def _check(address: Address) -> None:
    """Raise UsageError where the authentication method lacks something."""
    if address.auth is Authentication.CERTIFICATE:
        if address.certificate is None or address.key is None:
            raise UsageError(
                "auth=certificate needs the user's certificate and its key",
                remedy="?auth=certificate&certificate=FILE&key=FILE, both in PEM",
            )
        return
    if address.certificate is not None:
        raise UsageError(
            f"a certificate is given, but auth={address.auth} does not use one",
            remedy="?auth=certificate",
        )
    needs_user = address.auth in (Authentication.NTLM, Authentication.BASIC)
    if needs_user and address.user is None:
        raise UsageError(f"auth={address.auth} needs a user", remedy=FORM)
    if address.user is not None and address.password is None and needs_user:
        raise UsageError(
            f"no password is set for {address.user} on {address.host}",
            remedy=f"set {PASSWORD}, or run: keyring set {SERVICE} {address.user}@{address.host}",
        )


def _password(user: str, host: str) -> str | None:
    given = os.environ.get(PASSWORD)
    if given:
        return given
    try:
        return keyring.get_password(SERVICE, f"{user}@{host}")
    except KeyringError:
        return None  # no keyring here, or a locked one
