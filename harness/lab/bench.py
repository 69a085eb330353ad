"""One worker's bench: its hypervisor connection, its networks and its machine slots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from harness.guests.evidence import EvidenceCollector
from harness.guests.guest import Credentials, Guest
from harness.hypervisors.base import NAME_PREFIX, Hypervisor
from harness.hypervisors.capabilities import NETWORK, Capability
from harness.hypervisors.connection import open_hypervisor
from harness.hypervisors.definitions import Accelerator, NetworkDefinition
from harness.image_store.image_choice import recipe_for
from harness.image_store.store import BaseImage, ImageStore
from harness.lab.context import RunContext
from harness.lab.first_boot import FirstBoot
from harness.lab.guest_facts import agreed_image
from harness.lab.identity import Identity
from harness.lab.images import store_of
from harness.lab.live import LiveWriter
from harness.lab.machine_slot import Blueprint, MachineSlot
from harness.lab.networks import DEFAULT_NETWORK, Networks
from harness.lab.seed_medium import seed
from harness.lab.software import take_software
from harness.profiles.claims import HypervisorKind
from harness.profiles.loader import digest
from harness.profiles.model import Profile
from harness.profiles.variants import Variant, firmware_of, variants_on
from harness.time_accounting import Phase, TimeLedger


@dataclass
class Bench:
    """The resources of one worker process of a run; each is created at first use."""

    context: RunContext
    worker: str
    ledger: TimeLedger = field(default_factory=TimeLedger)
    _images: dict[str, BaseImage] = field(default_factory=dict)
    _first_boots: dict[tuple[str, Identity], FirstBoot] = field(default_factory=dict)
    _slots: dict[tuple[str, Variant, str, str], MachineSlot] = field(default_factory=dict)

    @cached_property
    def live(self) -> LiveWriter:
        """The writer of this worker's live state."""
        return LiveWriter(self.context.live, self.worker)

    @cached_property
    def hypervisor(self) -> Hypervisor:
        """The connection. Raises HypervisorUnreachableError if it fails."""
        return open_hypervisor(self.context.hypervisor)

    @cached_property
    def networks(self) -> Networks:
        """This worker's networks."""
        context = self.context
        return Networks(self.hypervisor, context.store, context.owner, self.worker)

    @cached_property
    def _store(self) -> ImageStore:
        """The image store; images that it returns are not pruned until the bench is closed."""
        context = self.context
        return store_of(context.store, lambda: self.hypervisor, context.owner, context.accelerator)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """The capabilities of the hypervisor."""
        return self.hypervisor.capabilities

    @property
    def uri(self) -> str:
        """The hypervisor's URI; before a connection, the one of the context, or empty."""
        return self.hypervisor.uri if self.is_connected else self.context.hypervisor or ""

    @property
    def is_connected(self) -> bool:
        """Whether the hypervisor was connected to."""
        return "hypervisor" in self.__dict__

    def image(self, profile: Profile) -> BaseImage:
        """The base image of a profile, or the user's image; built or verified at first use."""
        if profile.id not in self._images:
            with self.ledger.on(Phase.IMAGE):
                mine = self._find_image(profile)
                self._images[profile.id] = agreed_image(
                    self.context.facts, profile.id, mine, digest(profile), self._store
                )
        return self._images[profile.id]

    def slot(
        self,
        profile: Profile,
        variant: Variant,
        role: str,
        identity: Identity = Identity.GUEST_A,
        network: str = DEFAULT_NETWORK,
    ) -> MachineSlot:
        """The slot of one machine of this worker; `role` distinguishes several of one profile.

        A role has a slot on each network that it is asked for on, with a golden state of its own,
        in which its address is one of that network. The disk of the first boot is the same.
        """
        key = (profile.id, variant, role, network)
        if key not in self._slots:
            name = f"{self.worker}-{profile.id}-{variant}-{role}"
            if network != DEFAULT_NETWORK:
                name += f"-on-{network}"
            self._slots[key] = self._make_slot(
                profile,
                variant,
                name,
                self._vcpus(profile),
                identity,
                self._first_boot(profile, identity).disk,
                network,
            )
        return self._slots[key]

    def unstarted_slot(
        self, profile: Profile, variant: Variant, role: str, identity: Identity = Identity.CLONE_A
    ) -> MachineSlot:
        """The slot of a machine that never started: over the base image, with a seed medium."""
        key = (profile.id, variant, role, DEFAULT_NETWORK)
        if key not in self._slots:
            name = f"{self.worker}-{profile.id}-{variant}-{role}"
            slot = self._make_slot(
                profile,
                variant,
                name,
                self._vcpus(profile),
                identity,
                lambda: self.image(profile).path,
            )
            seed(slot)
            self._slots[key] = slot
        return self._slots[key]

    @property
    def kind(self) -> HypervisorKind:
        """The kind of the run's hypervisor."""
        return self.context.kind

    @property
    def collector(self) -> EvidenceCollector:
        """The evidence collector; it redacts the run's password."""
        return EvidenceCollector((self.context.password,))

    def guests_present(self) -> list[Guest]:
        """The guests in this worker's slots."""
        return [slot.guest for slot in self._slots.values() if slot.guest is not None]

    def clear(self) -> None:
        """Remove every machine of this worker; golden states and networks stay.

        An idle machine costs the others its memory and, under TCG, processor time.
        """
        for slot in self._slots.values():
            slot.clear()

    def close(self) -> None:
        """Remove every machine and network of this worker, and release its images."""
        self.clear()
        if "networks" in self.__dict__:
            self.networks.remove_all()
        if "_store" in self.__dict__:
            self._store.close()
        if self.is_connected:
            self.hypervisor.close()

    def _first_boot(self, profile: Profile, identity: Identity) -> FirstBoot:
        """The first boot of the profile's guest; all workers share its folder."""
        key = (profile.id, identity)
        if key not in self._first_boots:
            slot = self._make_slot(
                profile,
                variants_on(profile, self.kind)[0],
                f"{profile.id}-installation-{identity.role}",
                profile.hardware.vcpus.recommended,  # every worker waits for it
                identity,
                lambda: self.image(profile).path,
            )
            self._first_boots[key] = FirstBoot(slot, self._save_evidence, self._record_software)
        return self._first_boots[key]

    def _make_slot(
        self,
        profile: Profile,
        variant: Variant,
        name: str,
        vcpus: int,
        identity: Identity,
        base: Callable[[], Path],
        network: str = DEFAULT_NETWORK,
    ) -> MachineSlot:
        context = self.context
        name = f"{context.run}-{name}"
        return MachineSlot(
            blueprint=Blueprint(
                profile,
                firmware_of(profile, variant),
                context.accelerator,
                Credentials(profile.login, context.password),
                context.owner,
            ),
            name=NAME_PREFIX + name,
            folder=context.workspace / name,
            base=base,
            vcpus=vcpus,
            identity=identity,
            network=self._network(network),
            hypervisor=self.hypervisor,
            ledger=self.ledger,
            progress=self.live.report,
        )

    def _network(self, name: str) -> NetworkDefinition | None:
        """The definition of a network; None if the hypervisor cannot create networks."""
        if NETWORK not in self.hypervisor.capabilities:
            return None
        _, definition = self.networks.get(name)
        return definition

    def _vcpus(self, profile: Profile) -> int:
        """The recommended count; under TCG the minimum: two take a third longer than one."""
        vcpus = profile.hardware.vcpus
        emulated = self.context.accelerator is Accelerator.TCG
        return vcpus.minimum if emulated else vcpus.recommended

    def _save_evidence(self, guest: Guest) -> tuple[str, ...]:
        """Save evidence of a guest that does not belong to a case yet."""
        folder = self.context.reports / "evidence" / guest.name
        files = self.collector.collect(guest, folder, console_since=0)
        return tuple(str(file.relative_to(self.context.reports)) for file in files)

    def _record_software(self, guest: Guest) -> None:
        take_software(guest, self.context.guests)

    def _find_image(self, profile: Profile) -> BaseImage:
        store = self._store
        if self.context.image is not None:
            return store.adopt(self.context.image)
        recipe = recipe_for(profile, self.context.store, self.context.recipe)
        return store.base_image(
            recipe, lambda step: self.live.report(f"image {recipe.id}: {step}", None)
        )
