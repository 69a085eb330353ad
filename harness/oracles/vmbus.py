"""Hyper-V's integration services as a guest sees them: channel classes on its VMBus.

Source: Linux, include/linux/hyperv.h, and tools/hv/lsvmbus.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.hypervisors.facets.host_services import ServiceName

CLASSES = {
    "57164f39-9115-4e78-ab55-382f3bd5422d": ServiceName.HEARTBEAT,
    "0e0b6031-5213-4934-818b-38d90ced39db": ServiceName.SHUTDOWN,
    "9527e630-d0ae-497b-adce-e80ab0175caf": ServiceName.TIME_SYNC,
    "a9a0f4e7-5a45-4d96-b827-8a841e8c03e6": ServiceName.DATA_EXCHANGE,
    "35fa2e29-ea23-4236-96ae-3a6ebacba440": ServiceName.BACKUP,
    "34d14be3-dee4-41c8-9ae7-6b174977c192": ServiceName.FILE_COPY,
}
"""The services by their class ids."""


def services_on(classes: Iterable[str]) -> set[ServiceName]:
    """The services among channel classes; those of network cards, disks, ... are left out."""
    return {CLASSES[each] for each in classes if each in CLASSES}
