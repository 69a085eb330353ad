"""A guest's disk as its first boot left it: provisioned once for a run, shared by every slot."""

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
from harness.lab.machine_slot import MachineSlot
from harness.lab.seed_medium import seed
from harness.profiles.catalogue import READY
from harness.time_accounting import Phase

FAILURE = "failure.json"

Keep = Callable[[Guest], tuple[str, ...]]
"""Takes the evidence of a guest; returns the files, relative to the run directory."""

Note = Callable[[Guest], None]
"""Notes for the run's record what a ready guest is made of."""


@dataclass
class FirstBoot:
    """Boots the base image once with its seed, and keeps the disk of the powered-off guest.

    What every boot of a case pays would else be cloud-init's first boot, again and again.
    """

    slot: MachineSlot
    keep: Keep
    note: Note

    def disk(self) -> Path:
        """The provisioned disk, read-only from now on, made by whichever worker comes first.

        Raises Blocked by boot.ready where the guest does not come up, HarnessError where the lab
        or a channel failed: what ended the first boot once is not tried by every case.
        """
        disk = self.slot.folder / "installed.qcow2"
        if disk.exists():
            return disk
        self.slot.folder.mkdir(parents=True, exist_ok=True)
        failure = self.slot.folder / FAILURE
        self.slot.progress("waiting for the first boot of its disk", None)
        with self.slot.ledger.on(Phase.WORKER_WAIT), FileLock(self.slot.folder / "lock"):
            if failure.exists():
                raise _read(failure)
            if not disk.exists():
                with self.slot.ledger.on(Phase.PROVISIONING):
                    self._provision(disk, failure)
        return disk

    def _provision(self, disk: Path, failure: Path) -> None:
        slot = self.slot
        try:
            seed(slot)
            guest = slot.create_stopped()
            slot.progress("first boot, with cloud-init", slot.console_log)
            guest.boot()
            guest.await_settled()
            self.note(guest)
            self._power_off(guest)
            slot.clear()
            slot.root.rename(disk)
        except GuestFailure as error:
            evidence = self.keep(slot.guest) if slot.guest else ()
            blocked = Blocked(READY, error.sentence, evidence=evidence)
            _write(blocked, failure)
            raise blocked from error
        except HypervisorUnreachableError:
            raise  # another case may find it back
        except HarnessError as error:
            evidence = self.keep(slot.guest) if slot.guest else ()
            error.evidence = error.evidence or (evidence[0] if evidence else None)
            _write(error, failure)
            raise
        finally:
            slot.clear()
            slot.seed.unlink(missing_ok=True)

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
