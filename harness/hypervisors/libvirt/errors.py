"""libvirt's errors, told in one sentence with a remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import libvirt

from harness.errors import ChannelError, HypervisorError, HypervisorUnreachableError

REMEDIES = (
    ("No space left on device", "free some space where the image store is"),
    (
        "Permission denied",
        "let QEMU's user enter every folder above the file, or set GUESTCERT_HOME",
    ),
    ("Could not open", "look whether the file is there and readable for QEMU's user"),
    ("Cannot allocate memory", "run fewer machines at once (-n 1)"),
    ("virtlogd", "start virtlogd: `virtlogd -d`"),
)

SILENT_AGENT = {libvirt.VIR_ERR_AGENT_UNRESPONSIVE, libvirt.VIR_ERR_AGENT_UNSYNCED}
AGENT_REFUSAL = "QEMU agent command"
"""What libvirt's words hold where the agent answered with an error."""

LOST = {libvirt.VIR_ERR_NO_CONNECT, libvirt.VIR_ERR_RPC, libvirt.VIR_ERR_AUTH_FAILED}


@contextmanager
def wrap_errors(doing: str) -> Iterator[None]:
    """Turn libvirt's error while `doing` something into an error of ours that says so.

    A ChannelError where it was the guest's agent that failed, else a HypervisorError.
    """
    try:
        yield
    except libvirt.libvirtError as error:
        raise translate_error(doing, error) from error


def translate_agent_error(
    doing: str, error: libvirt.libvirtError
) -> HypervisorError | ChannelError:
    """The same of an agent's command: whatever went wrong is the channel's, or libvirt is lost."""
    known = translate_error(doing, error)
    if isinstance(known, HypervisorUnreachableError):
        return known
    return ChannelError(known.sentence)


def translate_error(doing: str, error: libvirt.libvirtError) -> HypervisorError | ChannelError:
    """The error of ours that says what libvirt said while `doing` something."""
    words = error.get_error_message() or str(error)
    if error.get_error_code() in SILENT_AGENT or AGENT_REFUSAL in words:
        return ChannelError(f"{doing}: {words}")
    remedy = next((advice for mark, advice in REMEDIES if mark in words), None)
    if error.get_error_code() in LOST:
        return HypervisorUnreachableError(
            f"{doing}: {words}", remedy=remedy or "is libvirtd running? `guestcert doctor` tells"
        )
    return HypervisorError(f"{doing}: {words}", remedy=remedy)


def is_missing(error: libvirt.libvirtError) -> bool:
    """Whether libvirt says that the machine, network or filter is not there."""
    return error.get_error_code() in (
        libvirt.VIR_ERR_NO_DOMAIN,
        libvirt.VIR_ERR_NO_NETWORK,
        libvirt.VIR_ERR_NO_NWFILTER,
        libvirt.VIR_ERR_OPERATION_INVALID,
    )
