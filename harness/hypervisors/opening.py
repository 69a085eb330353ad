"""Opens a hypervisor by its URI."""

from __future__ import annotations

from harness.errors import HypervisorUnreachableError, UsageError
from harness.hypervisors.base import Hypervisor
from harness.hypervisors.hyperv.connection import HypervHypervisor
from harness.hypervisors.libvirt.connection import LibvirtHypervisor

SCHEMES = ("qemu", "test")
HYPERV = "hyperv"
LOCAL = ("qemu:///system", "qemu:///session")


def open_hypervisor(uri: str | None) -> Hypervisor:
    """Connect to `uri`, or to this host's own: the system's libvirt, else the user's session.

    Raises UsageError for a scheme that nothing here speaks, HypervisorUnreachableError.
    """
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
    return LibvirtHypervisor(uri)


def _open_local() -> Hypervisor:
    try:
        return LibvirtHypervisor(LOCAL[0])
    except HypervisorUnreachableError as system:
        try:
            return LibvirtHypervisor(LOCAL[1])
        except HypervisorUnreachableError:
            raise system from None
