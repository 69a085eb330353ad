"""A run's folder in the store: overlays, saved states and seed media, and their lease."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.hypervisors.definitions import Ownership
from harness.hypervisors.leases import LONGEST, Lease, decode_lease, encode_lease, lease_for
from harness.image_store.files import read_start, replace_file
from harness.image_store.private import make_private

RUNS = "runs"
OWNER_FILE = "owner.json"


@dataclass(frozen=True)
class Workspace:
    """The folder of one run under the store's root."""

    root: Path
    owner: Ownership

    @property
    def folder(self) -> Path:
        """The folder of this run's files."""
        return self.root / RUNS / self.owner.run

    def create(self) -> None:
        """Create the folder with a lease, so that `clean` knows its owner from the start."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            make_private(self.folder)
            self.renew()
        except OSError as error:
            raise HarnessError(
                f"the run's folder {self.folder} cannot be written: {error.strerror}",
                remedy="free some space, or set GUESTCERT_HOME to a folder that you can write",
            ) from error

    def renew(self) -> None:
        """Renew the folder's lease. Raises OSError, also if the folder is gone."""
        replace_file(self.folder / OWNER_FILE, encode_lease(lease_for(self.owner)).encode())

    def remove(self) -> None:
        """Remove the folder and its content."""
        shutil.rmtree(self.folder, ignore_errors=True)


def workspaces(root: Path) -> Iterator[tuple[Path, Lease | None]]:
    """Every run's folder under the store's root, with its lease (None: unreadable).

    Any other file there has no lease.
    """
    folder = root / RUNS
    if not folder.is_dir():
        return
    for run in sorted(folder.iterdir()):
        lease = None if run.is_symlink() else decode_lease(read_start(run / OWNER_FILE, LONGEST))
        own_folder = lease is not None and lease.owner.run == run.name
        yield run, lease if own_folder else None
