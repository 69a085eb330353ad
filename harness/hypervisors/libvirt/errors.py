"""libvirt's errors as harness errors: one sentence and a remedy."""

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
    ("Could not open", "check that the file exists and that QEMU's user can read it"),
    ("Cannot allocate memory", "run fewer machines at once (-n 1)"),
    ("virtlogd", "start virtlogd: `virtlogd -d`"),
)

SILENT_AGENT = {libvirt.VIR_ERR_AGENT_UNRESPONSIVE, libvirt.VIR_ERR_AGENT_UNSYNCED}
AGENT_REFUSAL = "QEMU agent command"
"""Part of libvirt's message where the agent answered with an error."""

LOST = {libvirt.VIR_ERR_NO_CONNECT, libvirt.VIR_ERR_RPC, libvirt.VIR_ERR_AUTH_FAILED}


@contextmanager
def wrap_errors(doing: str) -> Iterator[None]:
    """Turn a libvirt error into a harness error whose sentence begins with `doing`.

    Raises ChannelError where the guest's agent failed, else HypervisorError.
    """
    try:
        yield
    except libvirt.libvirtError as error:
        raise translate_error(doing, error) from error


def translate_agent_error(
    doing: str, error: libvirt.libvirtError
) -> HypervisorError | ChannelError:
    """The error of an agent command: ChannelError, unless the connection to libvirt is lost."""
    known = translate_error(doing, error)
    if isinstance(known, HypervisorUnreachableError):
        return known
    return ChannelError(known.sentence)


def translate_error(doing: str, error: libvirt.libvirtError) -> HypervisorError | ChannelError:
    """The harness error for a libvirt error, with a remedy where one is known."""
    message = error.get_error_message() or str(error)
    if error.get_error_code() in SILENT_AGENT or AGENT_REFUSAL in message:
        return ChannelError(f"{doing}: {message}")
    remedy = next((advice for mark, advice in REMEDIES if mark in message), None)
    if error.get_error_code() in LOST:
        return HypervisorUnreachableError(
            f"{doing}: {message}", remedy=remedy or "check whether libvirtd runs: guestcert doctor"
        )
    return HypervisorError(f"{doing}: {message}", remedy=remedy)


def is_missing(error: libvirt.libvirtError) -> bool:
    """Whether libvirt reports that the machine, network or filter does not exist."""
    return error.get_error_code() in (
        libvirt.VIR_ERR_NO_DOMAIN,
        libvirt.VIR_ERR_NO_NETWORK,
        libvirt.VIR_ERR_NO_NWFILTER,
        libvirt.VIR_ERR_OPERATION_INVALID,
    )
