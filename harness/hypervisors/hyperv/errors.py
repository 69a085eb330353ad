"""Errors of a Hyper-V host and of the connection to it, as harness errors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import requests.exceptions
from pypsrp.complex_objects import ErrorRecord
from pypsrp.exceptions import AuthenticationError, WinRMError, WinRMTransportError, WSManFaultError
from spnego.exceptions import SpnegoError

from harness.errors import HypervisorError, HypervisorUnreachableError
from harness.hypervisors.hyperv.address import Address

CONNECTION_LOST = (WinRMError, requests.exceptions.RequestException, SpnegoError, OSError)
"""Exceptions of pypsrp and its libraries where no answer arrives."""

ACCESS_DENIED = 5
"""Windows' error code in a WS-Management fault."""

UNKNOWN_SHELL = 0x8033805B
"""WinRM's error code for an unknown shell."""

DOCTOR = "check each part: guestcert doctor --hypervisor hyperv://HOST"

REMEDIES = (
    ("0x80070050", "remove the file there, or copy with force"),
    ("0x8007000E", "stop other machines on the host, or give this one less memory"),
    ("not enough memory", "stop other machines on the host, or give this one less memory"),
    ("0x80070070", "free some space on the host, or move its folder of virtual hard disks"),
    ("0x8009030E", "let the source host delegate to the other one, or log in there by CredSSP"),
    ("could not find ethernet switch", "create a switch of that name on the other host"),
    (
        "processor-specific",
        "give the machine a processor that both hosts have, or move it while off",
    ),
    ("credential is invalid", "check the guest's user and password"),
    (
        "remote session might have ended",
        "the guest is older than Windows 10 and Server 2016, or still boots",
    ),
    ("live migration", "enable it on both hosts: Enable-VMMigration"),
    ("AccessDenied", "add the user to the host's group Hyper-V Administrators"),
    ("PermissionDenied", "add the user to the host's group Hyper-V Administrators"),
    ("object was not found", "check on the host: Get-Service vmms; Start-Service vmms"),
    ("unauthorized operation", "add the user to the host's group Event Log Readers"),
    ("unable to find a virtual machine", "check whether it was removed: Get-VM on the host"),
)
"""Remedies by part of an error's message, category or id."""

CATEGORIES = (
    "NotSpecified",
    "OpenError",
    "CloseError",
    "DeviceError",
    "DeadlockDetected",
    "InvalidArgument",
    "InvalidData",
    "InvalidOperation",
    "InvalidResult",
    "InvalidType",
    "MetadataError",
    "NotImplemented",
    "NotInstalled",
    "ObjectNotFound",
    "OperationStopped",
    "OperationTimeout",
    "SyntaxError",
    "ParserError",
    "PermissionDenied",
    "ResourceBusy",
    "ResourceExists",
    "ResourceUnavailable",
    "ReadError",
    "WriteError",
    "FromStdErr",
    "SecurityError",
    "ProtocolError",
    "ConnectionError",
    "AuthenticationError",
    "LimitsExceeded",
    "QuotaExceeded",
    "NotEnabled",
)
"""PowerShell's ErrorCategory values, by number."""

VANISHED = "ObjectNotFound,Microsoft.HyperV.PowerShell.Commands.GetVM"
"""PowerShell's error id of VanishedError."""

ANY_HRESULT = 0x80131501
""".NET's default HRESULT of an exception."""


class HostRefusalError(HypervisorError):
    """A script ended with an error of the host: its category, id and message."""

    def __init__(self, sentence: str, category: str, *, remedy: str | None) -> None:
        self.category = category
        super().__init__(sentence, remedy=remedy)


class VanishedError(HostRefusalError):
    """A machine was removed while Get-VM listed all; a stopped service causes the same error."""


def refused(doing: str, errors: Sequence[Any]) -> HostRefusalError:
    """The harness error for the host's error records while `doing` something."""
    record = errors[-1] if errors else None
    if not isinstance(record, ErrorRecord):
        return HostRefusalError(f"{doing}: the host gave no reason", CATEGORIES[0], remedy=None)
    properties: dict[str, Any] = getattr(record.exception, "adapted_properties", None) or {}
    text = str(record.details_message or properties.get("Message") or record)
    message = re.sub(r"\s+", " ", text).strip()[:600]
    category = _category(record.category)
    whole = str(record.fq_error or "")
    identity = whole.partition(",")[0]
    code = _code(properties.get("HResult"))
    known = [part for part in (category, identity, code) if part and part not in message]
    searched = f"{message} {' '.join(known)}".lower()
    remedy = next((advice for mark, advice in REMEDIES if mark.lower() in searched), None)
    sentence = f"{doing}: {message} ({', '.join(known)})"
    kind = VanishedError if whole.startswith(VANISHED) else HostRefusalError
    return kind(sentence, category, remedy=remedy)


def _category(number: object) -> str:
    return CATEGORIES[number] if isinstance(number, int) and number < len(CATEGORIES) else "?"


def _code(result: object) -> str:
    """An HRESULT in Windows' notation; empty where it is unspecific."""
    code = result % (1 << 32) if isinstance(result, int) else 0
    return f"0x{code:08X}" if code not in (0, ANY_HRESULT) else ""


def timed_out(address: Address, doing: str, seconds: float) -> HypervisorError:
    """The error for a reachable host whose script does not end."""
    return HypervisorError(
        f"{doing}: waited {seconds:.0f} s for {address.host} to end the script, and it still runs",
        remedy="check the host: it may be short of memory or waiting for its disks",
    )


def lost(address: Address, doing: str, error: BaseException) -> HypervisorError:
    """The error for a missing answer, by pypsrp's exception."""
    host, seen = address.host, _plain(error)
    if isinstance(error, requests.exceptions.SSLError):
        return HypervisorUnreachableError(
            f"{doing}: the certificate of {host} is not trusted: {seen}",
            remedy="name the authority that signed it: ?ca=FILE, in PEM",
        )
    if isinstance(error, AuthenticationError | SpnegoError) or _is_denied(error):
        user = address.user or "the current user"
        return HypervisorUnreachableError(
            f"{doing}: {host} refuses the login of {user} by {address.auth}: {seen}",
            remedy="check the user, the password and ?auth=; " + DOCTOR,
        )
    if isinstance(error, requests.exceptions.Timeout):
        return HypervisorUnreachableError(
            f"{doing}: {host}:{address.port} did not answer in time",
            remedy="check that the host is up and its firewall allows WinRM over HTTPS",
        )
    if isinstance(error, WSManFaultError | WinRMTransportError):
        return HypervisorUnreachableError(
            f"{doing}: WinRM of {host} answered with an error: {seen}", remedy=DOCTOR
        )
    return HypervisorUnreachableError(
        f"{doing}: the connection to {host}:{address.port} failed or was cut: {seen}",
        remedy="check that the host is up and WinRM listens with HTTPS: "
        "`winrm enumerate winrm/config/listener` there",
    )


def _is_denied(error: BaseException) -> bool:
    return isinstance(error, WSManFaultError) and error.code == ACCESS_DENIED


def _plain(error: BaseException) -> str:
    """The innermost cause's message: the wrappers of requests add nothing."""
    cause: BaseException = error
    while (inner := _inside(cause)) is not None:
        cause = inner
    return re.sub(r"\s+", " ", str(cause)).strip()[:300] or type(error).__name__


def _inside(error: BaseException) -> BaseException | None:
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return reason
    return next((part for part in error.args if isinstance(part, BaseException)), None)
