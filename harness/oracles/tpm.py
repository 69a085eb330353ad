"""TPM 2.0 client: raw commands to a guest's chip through its OS, without tools in the guest.

Source: Trusted Computing Group, TPM 2.0 Library, part 2 (structures) and part 3 (commands).
"""

from __future__ import annotations

import hashlib
import secrets
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import ChannelError
from harness.guests.guest import Guest
from harness.waiting import NotYet

VERSION = 2

FOUND_WITHIN = 10
"""Seconds (with KVM) within which a ready guest must have loaded the driver."""

PCR_BYTES = 32  # of the SHA-256 bank
NO_SESSIONS, SESSIONS = 0x8001, 0x8002
OWNER, NO_KEY, PASSWORD = 0x40000001, 0x40000007, 0x40000009
SHA256, AES, CFB, NONE, KEYED_HASH, ECC, P256 = 0x000B, 0x0006, 0x0043, 0x0010, 0x0008, 0x0023, 3
POLICY_SESSION = 1

CREATE_PRIMARY, CREATE, LOAD, UNSEAL = 0x131, 0x153, 0x157, 0x15E
FLUSH, START_SESSION, PCR_READ, POLICY_PCR, PCR_EXTEND = 0x165, 0x176, 0x17E, 0x17F, 0x182

STORAGE_KEY = 0x30472
"""Attributes: fixed to chip and parent, created by the chip, opened by password, decrypts only."""

SEALED_DATA = 0x412
"""Attributes: fixed to chip and parent, no lock-out; no password, so that only the policy opens."""

POLICY_FAILED = 0x01D
"""The error number of TPM_RC_POLICY_FAIL, without the bits that name the session."""


class TpmRefusal(Exception):  # noqa: N818 - an answer that a case may expect
    """The chip answered a command with an error; `policy` is set where a policy did not hold."""

    def __init__(self, command: int, code: int) -> None:
        super().__init__(f"the TPM refused command {command:#x} with code {code:#x}")
        self.policy = bool(code & 0x80) and code & 0x3F == POLICY_FAILED


@dataclass(frozen=True)
class Sealed:
    """Data that only this chip opens, and only while these PCRs keep their values."""

    private: bytes
    public: bytes
    pcrs: tuple[int, ...]


class Tpm:
    """The TPM 2.0 of one guest. Every method raises ChannelError where the guest has none."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    def await_chip(self) -> None:
        """Wait until the guest reports a TPM 2.0; raises GuestTimeout where it does not."""

        def found() -> None:
            version = self._guest.os.tpm.version()
            if version != VERSION:
                raise NotYet(f"version {version}" if version else "no TPM")

        awaited = f"{self._guest.name} to find its TPM {VERSION}.0"
        self._guest.wait_for(found, awaited, seconds=FOUND_WITHIN)

    def pcrs(self, numbers: Sequence[int]) -> dict[int, bytes]:
        """The values of platform configuration registers, from the SHA-256 bank."""
        values = {}
        for number in numbers:  # a chip may return fewer in one answer than requested
            answer = self._command(PCR_READ, _selection([number]))
            if len(answer) < PCR_BYTES + 6:
                raise ChannelError(f"the TPM gave no SHA-256 value of PCR {number}")
            values[number] = answer[-PCR_BYTES:]
        return values

    def extend(self, number: int, digest: bytes) -> None:
        """Measure a digest into a register."""
        parameters = struct.pack(">IH", 1, SHA256) + digest
        self._command(PCR_EXTEND, parameters, handles=[number], authorization=_password())

    def seal(self, data: bytes, pcrs: Sequence[int]) -> Sealed:
        """Seal up to 128 bytes to the current values of these registers."""
        parent = self._storage_key()
        public = struct.pack(">HHI", KEYED_HASH, SHA256, SEALED_DATA)
        public += _sized(self._policy(pcrs)) + struct.pack(">H", NONE) + _sized(b"")
        parameters = _sized(_sized(b"") + _sized(data)) + _sized(public)
        parameters += _sized(b"") + struct.pack(">I", 0)
        answer = self._command(CREATE, parameters, handles=[parent], authorization=_password())
        self._flush(parent)
        private, rest = _taken(answer[4:])
        public, _ = _taken(rest)
        return Sealed(private, public, tuple(pcrs))

    def unseal(self, sealed: Sealed) -> bytes:
        """Unseal data; raises TpmRefusal where the registers have other values."""
        parent = self._storage_key()
        parameters = _sized(sealed.private) + _sized(sealed.public)
        loaded = self._command(LOAD, parameters, handles=[parent], authorization=_password())
        item = _handle(loaded)
        self._flush(parent)
        session = self._policy_session(sealed.pcrs)
        try:
            answer = self._command(
                UNSEAL, b"", handles=[item], authorization=_authorization(session)
            )
        except TpmRefusal:
            self._flush(session)  # a successful command ends its session
            raise
        finally:
            self._flush(item)
        data, _ = _taken(answer[4:])
        return data

    def _storage_key(self) -> int:
        """The owner's storage key, which the chip derives from its seed, always the same."""
        public = struct.pack(">HHI", ECC, SHA256, STORAGE_KEY) + _sized(b"")
        public += struct.pack(">HHHHHH", AES, 128, CFB, NONE, P256, NONE)
        public += _sized(b"") + _sized(b"")
        parameters = _sized(_sized(b"") + _sized(b"")) + _sized(public)
        parameters += _sized(b"") + struct.pack(">I", 0)
        answer = self._command(
            CREATE_PRIMARY, parameters, handles=[OWNER], authorization=_password()
        )
        return _handle(answer)

    def _policy(self, pcrs: Sequence[int]) -> bytes:
        """The digest of a policy that requires these registers' current values."""
        held = hashlib.sha256(b"".join(self.pcrs(sorted(pcrs)).values())).digest()
        command = struct.pack(">I", POLICY_PCR) + _selection(pcrs) + held
        return hashlib.sha256(bytes(PCR_BYTES) + command).digest()

    def _policy_session(self, pcrs: Sequence[int]) -> int:
        parameters = _sized(secrets.token_bytes(16)) + _sized(b"")
        parameters += struct.pack(">BHH", POLICY_SESSION, NONE, SHA256)
        session = _handle(self._command(START_SESSION, parameters, handles=[NO_KEY, NO_KEY]))
        self._command(POLICY_PCR, _sized(b"") + _selection(pcrs), handles=[session])
        return session

    def _flush(self, handle: int) -> None:
        self._command(FLUSH, struct.pack(">I", handle))

    def _command(
        self,
        code: int,
        parameters: bytes,
        *,
        handles: Sequence[int] = (),
        authorization: bytes = b"",
    ) -> bytes:
        """Send one command; returns the response after its code."""
        body = b"".join(struct.pack(">I", handle) for handle in handles)
        if authorization:
            body += struct.pack(">I", len(authorization)) + authorization
        body += parameters
        tag = SESSIONS if authorization else NO_SESSIONS
        answer = self._guest.os.tpm.exchange(struct.pack(">HII", tag, len(body) + 10, code) + body)
        if len(answer) < 10:
            raise ChannelError(f"the TPM answered command {code:#x} with {len(answer)} bytes")
        _, _, result = struct.unpack(">HII", answer[:10])
        if result != 0:
            raise TpmRefusal(code, result)
        return answer[10:]


def _selection(pcrs: Sequence[int]) -> bytes:
    bits = sum(1 << number for number in set(pcrs))
    return struct.pack(">IHB", 1, SHA256, 3) + bits.to_bytes(3, "little")


def _sized(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data


def _taken(data: bytes) -> tuple[bytes, bytes]:
    """The data behind its two-byte size, and the rest."""
    size = int.from_bytes(data[:2], "big")
    if len(data) < size + 2:
        raise ChannelError("the TPM's answer ends too early")
    return data[2 : size + 2], data[size + 2 :]


def _handle(answer: bytes) -> int:
    if len(answer) < 4:
        raise ChannelError("the TPM's answer names no handle")
    return int.from_bytes(answer[:4], "big")


def _authorization(session: int) -> bytes:
    return struct.pack(">I", session) + _sized(b"") + b"\0" + _sized(b"")


def _password() -> bytes:
    """The empty password, which a fresh chip's owner has."""
    return _authorization(PASSWORD)
