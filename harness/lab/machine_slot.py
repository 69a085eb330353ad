"""Machine slot: a machine's name, disks and golden state in the lab, and its current guest."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import Blocked, GuestFailure, HarnessError, HypervisorUnreachableError
from harness.features.catalogue import READY
from harness.guests.guest import Answer, Credentials, Guest
from harness.hypervisors.base import Hypervisor
from harness.hypervisors.definitions import (
    Accelerator,
    DiskDefinition,
    MachineDefinition,
    NetworkDefinition,
    NicDefinition,
    Ownership,
)
from harness.hypervisors.facets.snapshots import SAVED_STATES
from harness.image_store.qemu_img import create_overlay
from harness.lab.identity import Identity, mac_address
from harness.profiles.hardware import Firmware
from harness.profiles.model import Profile
from harness.time_accounting import Phase, TimeLedger

SPACE = uuid.UUID("6f1c1a2e-8d0f-5c8e-9a55-0d1f6a3c9b77")
"""The namespace of machine UUIDs: the same name gives the same UUID."""

ProgressReporter = Callable[[str, Path | None], None]
"""Called with a slot's current activity and its console log."""


@dataclass(frozen=True)
class Blueprint:
    """The blueprint of a slot's guest: its profile, variant, credentials and owner."""

    profile: Profile
    variant: Firmware
    accelerator: Accelerator
    credentials: Credentials
    owner: Ownership


@dataclass
class MachineSlot:
    """Creates the guests of one machine name: powered off, or restored from its golden state."""

    blueprint: Blueprint
    name: str
    folder: Path
    base: Callable[[], Path]  # the read-only disk under every guest's overlay, created at first use
    vcpus: int
    identity: Identity
    network: NetworkDefinition | None
    hypervisor: Hypervisor
    ledger: TimeLedger
    progress: ProgressReporter
    guest: Guest | None = None
    _golden: bool = False
    _golden_failure: Blocked | HarnessError | None = field(default=None, repr=False)
    _answered_by: Answer = Answer.AGENT

    def definition(self) -> MachineDefinition:
        """The machine definition, as the profile recommends."""
        profile = self.blueprint.profile
        disks = [DiskDefinition(self.root, "GC-ROOT", bus=profile.hardware.disk_bus, boot_order=1)]
        if self.seed.exists():
            disks.append(DiskDefinition(self.seed, "GC-SEED", format="raw", read_only=True))
        firmware = self.blueprint.variant
        return MachineDefinition(
            name=self.name,
            uuid=str(uuid.uuid5(SPACE, self.name)),
            memory_mib=profile.hardware.memory_mib.recommended,
            vcpus=self.vcpus,
            firmware=firmware,
            machine_type=profile.hardware.machine_type,
            accelerator=self.blueprint.accelerator,
            owner=self.blueprint.owner,
            disks=disks,
            nics=self._nics(),
            nvram=None if firmware is Firmware.BIOS else self.folder / "nvram.fd",
            smbios_serial=hashlib.sha256(self.name.encode()).hexdigest()[:16],
            **self._on_hyperv(),
        )

    def _on_hyperv(self) -> dict[str, Any]:
        """Fields from the profile's Hyper-V facts; other hypervisors ignore them."""
        facts = self.blueprint.profile.hyperv
        if facts is None:
            return {}
        added: dict[str, Any] = {"legacy_processor": facts.legacy_processor}
        if facts.secure_boot_template is not None:
            added["secure_boot_template"] = facts.secure_boot_template
        return added

    def _nics(self) -> tuple[NicDefinition, ...]:
        if self.network is None:
            return ()
        mac = mac_address(self.blueprint.owner.run, self.identity)
        return (
            NicDefinition(
                mac,
                self.network.name,
                model=self.blueprint.profile.hardware.nic_model,
                address=self.network.reservations[mac],
            ),
        )

    # -- guests ---------------------------------------------------------------------------

    def create_stopped(self) -> Guest:
        """A machine that never started, on a fresh overlay over the base."""
        self.clear()
        self.folder.mkdir(parents=True, exist_ok=True)
        create_overlay(self.base(), self.root)
        if self._nvram.exists():
            self._nvram.unlink()
        guest = self._define()
        self.progress("running", self.console_log)
        return guest

    def restore_golden(self) -> Guest:
        """A ready guest in its golden state, on a fresh overlay.

        Raises Blocked if the guest does not reach a golden state, HarnessError if the lab or a
        channel failed; neither is retried.
        """
        self.prepare()
        return self._restore()

    def prepare(self) -> None:
        """Make the golden state, unless it exists. Raises as `restore_golden`."""
        if self._golden_failure is not None:
            raise self._golden_failure
        if not self._golden:
            self._make_golden()
            self.clear()

    def clear(self) -> None:
        """Remove the slot's guest; the golden state stays."""
        if self.guest is not None:
            self.guest.hang_up()
            self.guest.machine.remove()
            self.guest = None

    # -- golden state ---------------------------------------------------------------------

    def _make_golden(self) -> None:
        guest = self.create_stopped()
        self.progress("booting to its golden state", self.console_log)
        try:
            self._answered_by = guest.boot()
            with self.ledger.on(Phase.BOOT):
                guest.await_settled()
                guest.log_out()
        except GuestFailure as failure:
            self._golden_failure = Blocked(READY, failure.sentence)
            raise self._golden_failure from failure
        except HypervisorUnreachableError:
            raise  # the hypervisor may answer the next case
        except HarnessError as failure:
            self._golden_failure = failure
            raise
        with self.ledger.on(Phase.BOOT):
            self._save(guest)
        self._golden = True

    def _save(self, guest: Guest) -> None:
        guest.hang_up()
        guest.machine.facet(SAVED_STATES).save(self._state)
        self.root.rename(self._golden_disk)
        if self._nvram.exists():
            shutil.copy2(self._nvram, self._golden_nvram)

    def _restore(self) -> Guest:
        self.progress("restoring", self.console_log)
        self.clear()
        with self.ledger.on(Phase.RESTORE):
            create_overlay(self._golden_disk, self.root)
            guest = self._define()
            if self._golden_nvram.exists():
                shutil.copy2(self._golden_nvram, self._nvram)
            guest.answers_by = self._answered_by
            try:
                guest.restore(self._state)
            except GuestFailure as failure:
                # This state answered when it was saved, so a silent guest is the lab's fault.
                raise HarnessError(
                    f"{self.name} does not answer after its golden state was restored: "
                    f"{failure.sentence}",
                    evidence=guest.console_log,
                ) from failure
        self.progress("running", self.console_log)
        return guest

    def _define(self) -> Guest:
        machine = self.hypervisor.define(self.definition())
        self.guest = Guest(
            machine,
            self.blueprint.profile,
            self.blueprint.credentials,
            self.folder,
            self.ledger,
            self.hypervisor.define,
        )
        return self.guest

    # -- files ----------------------------------------------------------------------------

    @property
    def root(self) -> Path:
        """The root disk of the slot's guest."""
        return self.folder / "root.qcow2"

    @property
    def seed(self) -> Path:
        """The seed medium; a machine has it while the file exists."""
        return self.folder / "seed.iso"

    @property
    def console_log(self) -> Path:
        """The log of all console output of this slot."""
        return self.folder / "console.log"

    @property
    def _nvram(self) -> Path:
        return self.folder / "nvram.fd"

    @property
    def _state(self) -> Path:
        return self.folder / "golden.state"

    @property
    def _golden_disk(self) -> Path:
        return self.folder / "golden.qcow2"

    @property
    def _golden_nvram(self) -> Path:
        return self.folder / "golden-nvram.fd"
