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

DOCTOR = "`guestcert doctor --hypervisor hyperv://HOST` looks at each part"

REMEDIES = (
    ("0x80070050", "remove the file there, or copy with force"),
    ("0x8007000E", "stop other machines on the host, or give this one less memory"),
    ("not enough memory", "stop other machines on the host, or give this one less memory"),
    ("0x80070070", "free some space on the host, or move its folder of virtual hard disks"),
    ("AccessDenied", "add the user to the host's group Hyper-V Administrators"),
    ("PermissionDenied", "add the user to the host's group Hyper-V Administrators"),
    ("ObjectNotFound", "look whether somebody removed it: Get-VM on the host"),
)
"""By what stands in an error's words, its category or its id."""

MISSING = "ObjectNotFound"
"""The category of what is not there."""

CATEGORIES = {
    5: "InvalidArgument",
    6: "InvalidData",
    7: "InvalidOperation",
    8: "InvalidResult",
    12: "NotImplemented",
    13: "ObjectNotFound",
    14: "OperationStopped",
    15: "OperationTimeout",
    18: "PermissionDenied",
    19: "ResourceBusy",
    20: "ResourceExists",
    21: "ResourceUnavailable",
    22: "ReadError",
    23: "WriteError",
    26: "ConnectionError",
    27: "SecurityError",
}
"""PowerShell's ErrorCategory by number, as far as scripts of ours meet it."""


class HostRefusalError(HypervisorError):
    """A script ended with an error of the host's: its category, its id and its words."""

    def __init__(self, sentence: str, category: str, *, remedy: str | None) -> None:
        self.category = category
        super().__init__(sentence, remedy=remedy)


def refused(doing: str, errors: Sequence[Any]) -> HostRefusalError:
    """The error of ours that says what the host said while `doing` something."""
    record = errors[-1] if errors else None
    words = _words(record)
    number = getattr(record, "category", None)
    category = CATEGORIES.get(number, "NotSpecified") if isinstance(number, int) else "NotSpecified"
    identity = str(getattr(record, "fq_error", "") or "").partition(",")[0]
    telling = f"{words} {category} {identity}"
    remedy = next((advice for mark, advice in REMEDIES if mark.lower() in telling.lower()), None)
    known = ", ".join(dict.fromkeys(part for part in (category, identity) if part))
    return HostRefusalError(f"{doing}: {words} ({known})", category, remedy=remedy)


def _words(record: object) -> str:
    """An error record's message in one line."""
    if not isinstance(record, ErrorRecord):
        return "the host said nothing of why"
    exception = getattr(record, "exception", None)
    properties: dict[str, Any] = getattr(exception, "adapted_properties", {}) or {}
    text = record.details_message or properties.get("Message") or str(record)
    return re.sub(r"\s+", " ", str(text)).strip()[:600]


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
    first = error.args[0] if error.args else None
    return first if isinstance(first, BaseException) else None
