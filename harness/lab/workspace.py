"""A run's folder in the store: its overlays, states and seeds, and the lease on them."""

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
        """Where this run's own files are."""
        return self.root / RUNS / self.owner.run

    def create(self) -> None:
        """Make the folder with a lease on it, so that `clean` can judge it from the start."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            make_private(self.folder)
            self.renew()
        except OSError as error:
            raise HarnessError(
                f"the run's folder {self.folder} can not be written: {error.strerror}",
                remedy="free some space, or set GUESTCERT_HOME to a folder that you can write",
            ) from error

    def renew(self) -> None:
        """Write a fresh lease on the folder. Raises OSError, also where the folder is gone."""
        replace_file(self.folder / OWNER_FILE, encode_lease(lease_for(self.owner)).encode())

    def remove(self) -> None:
        """Take the folder away with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def workspaces(root: Path) -> Iterator[tuple[Path, Lease | None]]:
    """Every run's folder under the store's root, with its lease (None: unreadable).

    Whatever else lies there has none.
    """
    folder = root / RUNS
    if not folder.is_dir():
        return
    for run in sorted(folder.iterdir()):
        lease = None if run.is_symlink() else decode_lease(read_start(run / OWNER_FILE, LONGEST))
        own_folder = lease is not None and lease.owner.run == run.name
        yield run, lease if own_folder else None
