"""Names of drivers: Linux's for Windows' own."""

from __future__ import annotations

DRIVERS = {
    "balloon": "virtio_balloon",
    "virtrng": "virtio_rng",
    "virtioserial": "virtio_console",
    "netkvm": "virtio_net",
    "viostor": "virtio_blk",
    "vioscsi": "virtio_scsi",
    "storahci": "ahci",
    "msahci": "ahci",
    "stornvme": "nvme",
    "intelide": "ata_piix",
    "e1g60": "e1000",
    "e1iexpress": "e1000e",
    "rtl8139": "8139cp",
    "rtl8023x64": "8139cp",
    "rtl8023xp": "8139cp",
}
"""Windows' services that are drivers, in lower case, and Linux's names for them.

Source: the INF files of virtio-win, and of the drivers that Windows brings along.
"""


def linux_name(service: str) -> str:
    """Linux's name of a driver; Windows' own, in lower case, for one that Linux does not have."""
    return DRIVERS.get(service.lower(), service.lower())
