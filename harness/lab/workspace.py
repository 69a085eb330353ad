"""A run's folder in the store: its overlays, states and seeds, and whose they are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from harness.errors import HarnessError
from harness.hypervisors.definitions import Ownership

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
        """Make the folder and say whose it is, so that `clean` can judge it from the start."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            document = asdict(self.owner) | {"expires": self.owner.expires.isoformat()}
            (self.folder / OWNER_FILE).write_text(json.dumps(document), encoding="utf-8")
        except OSError as error:
            raise HarnessError(
                f"the run's folder {self.folder} can not be written: {error.strerror}",
                remedy="free some space, or set GUESTCERT_HOME to a folder that you can write",
            ) from error

    def remove(self) -> None:
        """Take the folder away with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def workspaces(root: Path) -> Iterator[tuple[Path, Ownership | None]]:
    """Every run's folder under the store's root, with its owner (None: unreadable)."""
    folder = root / RUNS
    if not folder.is_dir():
        return
    for run in sorted(folder.iterdir()):
        yield run, _owner(run / OWNER_FILE)


def _owner(file: Path) -> Ownership | None:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        expires = datetime.fromisoformat(document.pop("expires"))
        return Ownership(**document, expires=expires)
    except (OSError, ValueError, TypeError, KeyError):
        return None
