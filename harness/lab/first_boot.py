"""The first boot of a guest: provisions its disk once a run; every slot shares the disk."""

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
from harness.features.catalogue import READY
from harness.guests.guest import Guest
from harness.lab.machine_slot import MachineSlot
from harness.lab.seed_medium import seed
from harness.time_accounting import Phase

FAILURE = "failure.json"

CollectEvidence = Callable[[Guest], tuple[str, ...]]
"""Collects evidence of a guest; returns the files, relative to the run directory."""

RecordSoftware = Callable[[Guest], None]
"""Records the software of a ready guest for the run's record."""


@dataclass
class FirstBoot:
    """Boots the base image once with its seed medium, and keeps the disk after power-off.

    Otherwise every boot of a case would repeat cloud-init's first boot.
    """

    slot: MachineSlot
    collect_evidence: CollectEvidence
    record_software: RecordSoftware

    def disk(self) -> Path:
        """The provisioned disk, read-only from now on; the first worker to ask creates it.

        Raises Blocked by boot.ready if the guest does not come up, HarnessError if the lab or a
        channel failed. A failed first boot is not retried: every later call raises the same error.
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
            self.record_software(guest)
            self._power_off(guest)
            slot.clear()
            slot.root.rename(disk)
        except GuestFailure as error:
            evidence = self.collect_evidence(slot.guest) if slot.guest else ()
            blocked = Blocked(READY, error.sentence, evidence=evidence)
            _write(blocked, failure)
            raise blocked from error
        except HypervisorUnreachableError:
            raise  # the hypervisor may answer the next case
        except HarnessError as error:
            evidence = self.collect_evidence(slot.guest) if slot.guest else ()
            error.evidence = error.evidence or (evidence[0] if evidence else None)
            _write(error, failure)
            raise
        finally:
            slot.clear()
            slot.seed.unlink(missing_ok=True)

    def _power_off(self, guest: Guest) -> None:
        """Shut down from inside, else power off; the shutdown cases report the defect."""
        try:
            guest.shut_down()
        except GuestTimeout:
            guest.machine.power_off()


def _write(error: Blocked | HarnessError, file: Path) -> None:
    """Record the failure of the first boot for every case that needs its disk."""
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
