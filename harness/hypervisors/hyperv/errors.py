"""What can go wrong between here and a Hyper-V host, in errors of ours."""

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
"""What pypsrp and the libraries under it raise where they get no answer."""

ACCESS_DENIED = 5
"""Windows' error code in a WS-Management fault."""

UNKNOWN_SHELL = 0x8033805B
"""WinRM's, of a shell that is not there."""

DOCTOR = "`guestcert doctor --hypervisor hyperv://HOST` looks at each part"

REMEDIES = (
    ("0x80070050", "remove the file there, or copy with force"),
    ("0x8007000E", "stop other machines on the host, or give this one less memory"),
    ("not enough memory", "stop other machines on the host, or give this one less memory"),
    ("0x80070070", "free some space on the host, or move its folder of virtual hard disks"),
    ("0x8009030E", "let the source host delegate to the other one, or log in there by CredSSP"),
    ("could not find ethernet switch", "make a switch of that name on the other host"),
    (
        "processor-specific",
        "give the machine a processor that both hosts have, or move it when off",
    ),
    ("credential is invalid", "look at the guest's user and password"),
    ("remote session might have ended", "the guest is no Windows 10 or Server 2016, or boots yet"),
    ("live migration", "enable it on both hosts: Enable-VMMigration"),
    ("AccessDenied", "add the user to the host's group Hyper-V Administrators"),
    ("PermissionDenied", "add the user to the host's group Hyper-V Administrators"),
    ("object was not found", "look at the host: Get-Service vmms; Start-Service vmms"),
    ("unauthorized operation", "add the user to the host's group Event Log Readers"),
    ("unable to find a virtual machine", "look whether somebody removed it: Get-VM on the host"),
)
"""By what stands in an error's words, its category or its id."""

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
"""PowerShell's ErrorCategory, by number."""

VANISHED = "ObjectNotFound,Microsoft.HyperV.PowerShell.Commands.GetVM"
"""Of VanishedError, in PowerShell's record."""

ANY_HRESULT = 0x80131501
"""What .NET gives every exception that has none of its own."""


class HostRefusalError(HypervisorError):
    """A script ended with an error of the host's: its category, its id and its words."""

    def __init__(self, sentence: str, category: str, *, remedy: str | None) -> None:
        self.category = category
        super().__init__(sentence, remedy=remedy)


class VanishedError(HostRefusalError):
    """A machine was removed while Get-VM listed all of them; a stopped service says the same."""


def refused(doing: str, errors: Sequence[Any]) -> HostRefusalError:
    """The error of ours that says what the host said while `doing` something."""
    record = errors[-1] if errors else None
    if not isinstance(record, ErrorRecord):
        return HostRefusalError(f"{doing}: the host did not say why", CATEGORIES[0], remedy=None)
    properties: dict[str, Any] = getattr(record.exception, "adapted_properties", None) or {}
    words = re.sub(r"\s+", " ", str(record.details_message or properties.get("Message") or record))
    words = words.strip()[:600]
    category = _category(record.category)
    whole = str(record.fq_error or "")
    identity = whole.partition(",")[0]
    code = _code(properties.get("HResult"))
    known = [part for part in (category, identity, code) if part and part not in words]
    telling = f"{words} {' '.join(known)}".lower()
    remedy = next((advice for mark, advice in REMEDIES if mark.lower() in telling), None)
    sentence = f"{doing}: {words} ({', '.join(known)})"
    kind = VanishedError if whole.startswith(VANISHED) else HostRefusalError
    return kind(sentence, category, remedy=remedy)


def _category(number: object) -> str:
    return CATEGORIES[number] if isinstance(number, int) and number < len(CATEGORIES) else "?"


def _code(result: object) -> str:
    """An HRESULT as Windows writes it; empty where it says nothing."""
    code = result % (1 << 32) if isinstance(result, int) else 0
    return f"0x{code:08X}" if code not in (0, ANY_HRESULT) else ""


def timed_out(address: Address, doing: str, seconds: float) -> HypervisorError:
    """The host is there, and the script does not end."""
    return HypervisorError(
        f"{doing}: waited {seconds:.0f} s for {address.host} to end the script, and it still runs",
        remedy="look at the host: it may be short of memory or waiting for its disks",
    )


def lost(address: Address, doing: str, error: BaseException) -> HypervisorError:
    """No answer came, by what pypsrp raised."""
    host, seen = address.host, _plain(error)
    if isinstance(error, requests.exceptions.SSLError):
        return HypervisorUnreachableError(
            f"{doing}: the certificate of {host} is not to be trusted: {seen}",
            remedy="give the authority that signed it: ?ca=FILE, in PEM",
        )
    if isinstance(error, AuthenticationError | SpnegoError) or _is_denied(error):
        user = address.user or "the present user"
        return HypervisorUnreachableError(
            f"{doing}: {host} does not let {user} in by {address.auth}: {seen}",
            remedy="look at the user, the password and ?auth=; " + DOCTOR,
        )
    if isinstance(error, requests.exceptions.Timeout):
        return HypervisorUnreachableError(
            f"{doing}: {host}:{address.port} did not answer in time",
            remedy="look whether the host is up and its firewall lets WinRM over HTTPS in",
        )
    if isinstance(error, WSManFaultError | WinRMTransportError):
        return HypervisorUnreachableError(
            f"{doing}: WinRM of {host} answered with an error: {seen}", remedy=DOCTOR
        )
    return HypervisorUnreachableError(
        f"{doing}: no connection to {host}:{address.port}, or it was cut: {seen}",
        remedy="look whether the host is up and WinRM listens with HTTPS: "
        "`winrm enumerate winrm/config/listener` there",
    )


def _is_denied(error: BaseException) -> bool:
    return isinstance(error, WSManFaultError) and error.code == ACCESS_DENIED


def _plain(error: BaseException) -> str:
    """The innermost cause's words: what requests wraps around them says nothing more."""
    cause: BaseException = error
    while (inner := _inside(cause)) is not None:
        cause = inner
    return re.sub(r"\s+", " ", str(cause)).strip()[:300] or type(error).__name__


def _inside(error: BaseException) -> BaseException | None:
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return reason
    return next((part for part in error.args if isinstance(part, BaseException)), None)
