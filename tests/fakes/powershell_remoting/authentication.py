"""Authentication at the scripted host: Basic, NTLM through Negotiate, and certificates."""

from __future__ import annotations

import base64
import hmac
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import spnego
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

CREDENTIALS = "NTLM_USER_FILE"
BY_CERTIFICATE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"

_environment = threading.Lock()


class Scheme(StrEnum):
    """A way to authenticate that a host may offer."""

    NEGOTIATE = "Negotiate"
    BASIC = "Basic"


@dataclass(frozen=True)
class Verdict:
    """Whether a request is admitted, and the answer's WWW-Authenticate header."""

    admitted: bool
    challenges: Sequence[str] = ()


class Gate:
    """Knows the accounts, by names that may carry a domain before a backslash."""

    def __init__(
        self,
        accounts: Mapping[str, str],
        certificate_digest: bytes,
        folder: Path,
        schemes: Sequence[Scheme],
    ) -> None:
        self.accounts = accounts
        self.schemes = schemes
        self.refusing = False
        self._certificate_digest = certificate_digest
        self._file = folder / "ntlm-accounts"
        lines = []
        for name, password in accounts.items():
            domain, _, user = name.rpartition("\\")
            if ":" in name + password:
                raise ValueError("the file of NTLM accounts has no colon in a name or a password")
            lines.append(f"{domain}:{user}:{password}\n")
        self._file.write_text("".join(lines), encoding="utf-8")

    def context(self) -> spnego.ContextProxy:
        """A negotiation that begins; it is bound to this host's certificate."""
        bound = b"tls-server-end-point:" + self._certificate_digest
        with self.credentials():
            return spnego.server(
                channel_bindings=GssChannelBindings(application_data=bound),
                options=spnego.NegotiateOptions.use_negotiate,
            )

    @contextmanager
    def credentials(self) -> Iterator[None]:
        """Lets spnego find the accounts, which it looks for by an environment variable only."""
        with _environment:
            before = os.environ.get(CREDENTIALS)
            os.environ[CREDENTIALS] = str(self._file)
            try:
                yield
            finally:
                del os.environ[CREDENTIALS]
                if before is not None:
                    os.environ[CREDENTIALS] = before


class Visitor:
    """One connection; NTLM authenticates it once and for all its requests."""

    def __init__(self, gate: Gate, *, certified: bool) -> None:
        self._gate = gate
        self._certified = certified
        self._negotiation: spnego.ContextProxy | None = None

    def judge(self, authorization: str) -> Verdict:
        """Judge a request by its Authorization header; empty if missing."""
        refused = Verdict(False, [_offer(scheme) for scheme in self._gate.schemes])
        if self._gate.refusing:
            return refused
        if authorization == BY_CERTIFICATE:
            return Verdict(True) if self._certified else refused
        scheme, _, credentials = authorization.partition(" ")
        if scheme not in self._gate.schemes:
            known = not scheme and self._negotiation and self._negotiation.complete
            return Verdict(True) if known else refused
        try:
            content = base64.b64decode(credentials, validate=True)
        except ValueError:
            return refused
        if scheme == Scheme.BASIC:
            return Verdict(True) if self._knows(content) else refused
        return self._negotiate(content) or refused

    def _knows(self, credentials: bytes) -> bool:
        name, _, password = credentials.decode("latin-1").partition(":")
        expected = self._gate.accounts.get(name)
        return expected is not None and hmac.compare_digest(password.encode(), expected.encode())

    def _negotiate(self, token: bytes) -> Verdict | None:
        if self._negotiation is None or self._negotiation.complete:
            self._negotiation = self._gate.context()
        try:
            with self._gate.credentials():
                out = self._negotiation.step(token)
        except SpnegoError:
            self._negotiation = None
            return None
        header = [f"{Scheme.NEGOTIATE} {base64.b64encode(out).decode()}"] if out else []
        return Verdict(self._negotiation.complete, header)


def _offer(scheme: Scheme) -> str:
    return f'{scheme} realm="WSMAN"' if scheme is Scheme.BASIC else str(scheme)
