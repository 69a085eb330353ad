"""A guest's disk as its first boot left it: provisioned once for a run, shared by every place."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from harness.errors import (
    Blocked,
    GuestFailure,
    GuestTimeout,
    HarnessError,
    HypervisorUnreachableError,
)
from harness.guests.guest import Guest
from harness.lab.place import Place
from harness.lab.seeding import seed
from harness.ledger import Work
from harness.profiles.catalogue import READY

FAILURE = "failure.json"

Keep = Callable[[Guest], tuple[str, ...]]
"""Takes the evidence of a guest; returns the files, relative to the run directory."""

Note = Callable[[Guest], None]
"""Notes for the run's record what a ready guest is made of."""


@dataclass
class Installation:
    """Boots the base image once with its seed, and keeps the disk of the powered-off guest.

    What every boot of a case pays would else be cloud-init's first boot, again and again.
    """

    place: Place
    keep: Keep
    note: Note

    def disk(self) -> Path:
        """The provisioned disk, read-only from now on, made by whichever worker comes first.

        Raises Blocked by boot.ready where the guest does not come up, HarnessError where the lab
        or a channel failed: what ended the first boot once is not tried by every case.
        """
        disk = self.place.folder / "installed.qcow2"
        if disk.exists():
            return disk
        self.place.folder.mkdir(parents=True, exist_ok=True)
        failure = self.place.folder / FAILURE
        self.place.progress("waiting for the first boot of its disk", None)
        with self.place.ledger.on(Work.WAIT), FileLock(self.place.folder / "lock"):
            if failure.exists():
                raise _read(failure)
            if not disk.exists():
                with self.place.ledger.on(Work.PROVISIONING):
                    self._provision(disk, failure)
        return disk

    def _provision(self, disk: Path, failure: Path) -> None:
        place = self.place
        try:
            seed(place)
            guest = place.powered_off()
            place.progress("first boot, with cloud-init", place.console_log)
            guest.boot()
            guest.await_settled()
            self.note(guest)
            self._power_off(guest)
            place.clear()
            place.root.rename(disk)
        except GuestFailure as error:
            evidence = self.keep(place.guest) if place.guest else ()
            blocked = Blocked(READY, error.sentence, evidence=evidence)
            _write(blocked, failure)
            raise blocked from error
        except HypervisorUnreachableError:
            raise  # another case may find it back
        except HarnessError as error:
            evidence = self.keep(place.guest) if place.guest else ()
            error.evidence = error.evidence or (evidence[0] if evidence else None)
            _write(error, failure)
            raise
        finally:
            place.clear()
            place.seed.unlink(missing_ok=True)

    def _power_off(self, guest: Guest) -> None:
        """From inside; a guest that can't is unplugged, which the shutdown cases will tell."""
        try:
            guest.shut_down()
        except GuestTimeout:
            guest.machine.power_off()


def _write(error: Blocked | HarnessError, file: Path) -> None:
    """Remember what ended the first boot, for every case that needs its disk."""
    document: dict[str, object] = {"sentence": error.sentence}
    if isinstance(error, Blocked):
        document |= {"blocks": True, "evidence": error.evidence}
    else:
        document |= {"blocks": False, "remedy": error.remedy}
    file.write_text(json.dumps(document), encoding="utf-8")


def _read(file: Path) -> Blocked | HarnessError:
    known = json.loads(file.read_text(encoding="utf-8"))
    if known["blocks"]:
        return Blocked(READY, known["sentence"], evidence=tuple(known["evidence"]))
    return HarnessError(known["sentence"], remedy=known["remedy"])
