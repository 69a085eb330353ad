"""Connections to hypervisors, by URI."""

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
"""The environment variable that names libvirt's default host."""


def default_address() -> str | None:
    """The address in the user's environment; None: this host's own."""
    return os.environ.get(DEFAULT_URI) or None


def open_hypervisor(uri: str | None) -> Hypervisor:
    """Connect to `uri`, else to the environment's address, else to this host's libvirt.

    On this host the system's libvirt comes first, then the user's session. Raises UsageError for an
    unsupported scheme or another host's libvirt, and HypervisorUnreachableError.
    """
    uri = uri or default_address()
    if uri is None:
        return _open_local()
    scheme = uri.partition(":")[0].partition("+")[0]
    if scheme == HYPERV:
        return HypervHypervisor(uri)
    if scheme not in SCHEMES:
        raise UsageError(
            f"{uri!r} does not name a hypervisor that guestcert supports",
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
    """Whether an address may come from a file: it cannot name a program or a socket.

    `parse_address` checks every option of a Hyper-V address.
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
