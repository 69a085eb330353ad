"""Opens a hypervisor by its URI."""

from __future__ import annotations

import os

from harness.errors import HypervisorUnreachableError, UsageError
from harness.hypervisors.base import Hypervisor
from harness.hypervisors.hyperv.connection import HypervHypervisor
from harness.hypervisors.libvirt.connection import LibvirtHypervisor
from harness.hypervisors.libvirt.reachability import is_remote

SCHEMES = ("qemu", "test")
HYPERV = "hyperv"
LOCAL = ("qemu:///system", "qemu:///session")


DEFAULT_URI = "LIBVIRT_DEFAULT_URI"
"""The environment variable in which users of libvirt name the host that they mean."""


def default_address() -> str | None:
    """The address that the user's environment names; None: this host's own."""
    return os.environ.get(DEFAULT_URI) or None


def open_hypervisor(uri: str | None) -> Hypervisor:
    """Connect to `uri`, else to the environment's, else to this host's own.

    That is the system's libvirt, else the user's session. Raises UsageError for a scheme that
    nothing here speaks and for another host's libvirt, HypervisorUnreachableError.
    """
    uri = uri or default_address()
    if uri is None:
        return _open_local()
    scheme = uri.partition(":")[0].partition("+")[0]
    if scheme == HYPERV:
        return HypervHypervisor(uri)
    if scheme not in SCHEMES:
        raise UsageError(
            f"{uri!r} names no hypervisor that guestcert can drive",
            remedy=f"an address of libvirt, such as {LOCAL[0]}, or {HYPERV}://HOST",
        )
    hypervisor = LibvirtHypervisor(uri)
    if is_remote(uri):
        hypervisor.close()
        raise UsageError(
            f"{uri} is another host's libvirt, and guestcert reads the facts of the host, its "
            "firmware and its logs from this one",
            remedy=f"run guestcert on that host, with {LOCAL[0]}",
        )
    return hypervisor


def is_plain_address(uri: str) -> bool:
    """Whether an address can be taken from a file: no program and no socket can be named in it.

    Of Hyper-V's every option is one of its own, which `parse_address` checks.
    """
    return uri in LOCAL or uri.startswith(f"{HYPERV}://")


def _open_local() -> Hypervisor:
    try:
        return LibvirtHypervisor(LOCAL[0])
    except HypervisorUnreachableError as system:
        try:
            return LibvirtHypervisor(LOCAL[1])
        except HypervisorUnreachableError:
            raise system from None
