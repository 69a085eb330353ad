"""Snapshots and saved states through libvirt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import libvirt
from defusedxml.ElementTree import fromstring

from harness.hypervisors.libvirt.definition import snapshot_xml
from harness.hypervisors.libvirt.domain import Domain
from harness.hypervisors.libvirt.errors import wrap_errors
from harness.hypervisors.libvirt.metadata import renew_domain


class LibvirtSnapshots:
    """See Snapshots. They are stored in the disks' own files."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def take(self, name: str) -> None:
        """See Snapshots."""
        with wrap_errors(f"taking the snapshot {name} of {self._domain.name}"):
            self._domain.handle.snapshotCreateXML(snapshot_xml(name))

    def names(self) -> Sequence[str]:
        """See Snapshots."""
        with wrap_errors(f"listing the snapshots of {self._domain.name}"):
            listed = self._domain.handle.listAllSnapshots(
                libvirt.VIR_DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL
            )
            return [str(snapshot.getName()) for snapshot in listed]

    def revert(self, name: str, *, paused: bool = False) -> None:
        """See Snapshots."""
        handle = self._domain.handle
        with wrap_errors(f"reverting {self._domain.name} to its snapshot {name}"):
            snapshot = handle.snapshotLookupByName(name)
            handle.revertToSnapshot(snapshot, _revert_flags(snapshot.getXMLDesc(), paused=paused))
            # The stored definition is the snapshot's again, with its old lease.
            renew_domain(handle, self._domain.definition.owner)

    def remove(self, name: str) -> None:
        """See Snapshots."""
        with wrap_errors(f"removing the snapshot {name} of {self._domain.name}"):
            self._domain.handle.snapshotLookupByName(name).delete()


class LibvirtSavedStates:
    """See SavedStates."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def save(self, state_file: Path) -> None:
        """See SavedStates."""
        with wrap_errors(f"saving {self._domain.name}"):
            self._domain.handle.save(str(state_file))

    def restore(self, state_file: Path, *, paused: bool = False) -> None:
        """See SavedStates."""
        flags = libvirt.VIR_DOMAIN_SAVE_PAUSED if paused else libvirt.VIR_DOMAIN_SAVE_RUNNING
        with wrap_errors(f"restoring {self._domain.name}"):
            self._domain.connection.restoreFlags(str(state_file), None, flags)


def _revert_flags(xml: str, *, paused: bool) -> int:
    """Flags for a snapshot; one of a machine that was off has no memory to continue from."""
    if fromstring(xml).findtext("state") == "shutoff":
        return 0
    running: int = libvirt.VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING
    return int(libvirt.VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED) if paused else running
