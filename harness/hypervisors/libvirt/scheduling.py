"""How long the host kept the processors of a machine waiting."""

from __future__ import annotations

import libvirt

UNCOUNTED = (
    libvirt.VIR_ERR_NO_SUPPORT,
    libvirt.VIR_ERR_NO_DOMAIN,
    libvirt.VIR_ERR_OPERATION_INVALID,
)
"""No driver for it, or no machine any more: nothing waits."""


def seconds_starved(domain: libvirt.virDomain) -> float:
    """See Machine.seconds_starved; raises libvirtError where the connection fails.

    Source: `vcpu.<number>.delay`, in nanoseconds, of virConnectGetAllDomainStats.
    """
    try:
        found = domain.connect().domainListGetStats([domain], libvirt.VIR_DOMAIN_STATS_VCPU)
    except libvirt.libvirtError as error:
        if error.get_error_code() in UNCOUNTED:
            return 0.0
        raise
    delays = [
        nanoseconds
        for _, statistics in found
        for name, nanoseconds in statistics.items()
        if name.startswith("vcpu.") and name.endswith(".delay")
    ]
    return float(max(delays, default=0)) / 1e9
