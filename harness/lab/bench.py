"""One worker's bench: its connection, its networks, and the places where its guests stand."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property

from harness.guests.guest import Credentials
from harness.hypervisors.base import NAME_PREFIX, Capability, Hypervisor
from harness.hypervisors.opening import open_hypervisor
from harness.image_store.store import BaseImage, ImageStore
from harness.lab.context import RunContext
from harness.lab.live import LiveWriter
from harness.lab.networks import Networks
from harness.lab.place import Blueprint, Place
from harness.ledger import Ledger, Work
from harness.profiles.loading import digest
from harness.profiles.model import Firmware, Profile


@dataclass
class Bench:
    """What one worker process of a run works with; everything is made at first use."""

    context: RunContext
    worker: str
    ledger: Ledger = field(default_factory=Ledger)
    _images: dict[str, BaseImage] = field(default_factory=dict)
    _places: dict[tuple[str, Firmware, str], Place] = field(default_factory=dict)

    @cached_property
    def live(self) -> LiveWriter:
        """Where this worker tells what it is doing."""
        return LiveWriter(self.context.live, self.worker)

    @cached_property
    def hypervisor(self) -> Hypervisor:
        """The connection; raises HypervisorUnreachableError where there is none."""
        return open_hypervisor(self.context.hypervisor)

    @cached_property
    def networks(self) -> Networks:
        """This worker's networks."""
        context = self.context
        return Networks(self.hypervisor, context.store, context.owner, self.worker)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the hypervisor can do here."""
        return self.hypervisor.capabilities

    @property
    def uri(self) -> str:
        """The hypervisor's address, as far as it is known without connecting."""
        return self.hypervisor.uri if self._connected else self.context.hypervisor or ""

    def capabilities_if_connected(self) -> frozenset[Capability]:
        """What the hypervisor can do, or nothing where there is no connection."""
        return self.hypervisor.capabilities if self._connected else frozenset()

    @property
    def _connected(self) -> bool:
        return "hypervisor" in self.__dict__

    def image(self, profile: Profile) -> BaseImage:
        """The base image of a profile, or the user's own; built or verified at first use."""
        if profile.id not in self._images:
            with self.ledger.on(Work.IMAGE):
                self._images[profile.id] = self._find_image(profile)
            self._note_facts(profile)
        return self._images[profile.id]

    def place(self, profile: Profile, variant: Firmware, role: str) -> Place:
        """The place of one machine of this worker; `role` tells several of one kind apart."""
        key = (profile.id, variant, role)
        if key not in self._places:
            owner = self.context.owner
            name = f"{NAME_PREFIX}{owner.run}-{self.worker}-{profile.id}-{variant}-{role}"
            network, _ = self.networks.get(1)
            credentials = Credentials(profile.login, self.context.password)
            self._places[key] = Place(
                blueprint=Blueprint(
                    profile,
                    variant,
                    self.image(profile).path,
                    self.context.accelerator,
                    credentials,
                    owner,
                ),
                name=name,
                folder=self.context.workspace / name.removeprefix(NAME_PREFIX),
                network=network.name,
                hypervisor=self.hypervisor,
                ledger=self.ledger,
                progress=self.live.say,
            )
        return self._places[key]

    def close(self) -> None:
        """Take every machine and network of this worker away."""
        for place in self._places.values():
            place.clear()
        if "networks" in self.__dict__:
            self.networks.remove_all()
        if self._connected:
            self.hypervisor.close()

    def _find_image(self, profile: Profile) -> BaseImage:
        store = ImageStore(self.context.store)
        if self.context.image is not None:
            return store.adopt(self.context.image)
        return store.base_image(
            profile.recipe, lambda step: self.live.say(f"image {profile.recipe}: {step}", None)
        )

    def _note_facts(self, profile: Profile) -> None:
        facts = {"image": self._images[profile.id].digest, "profile": digest(profile)}
        self.context.facts.mkdir(parents=True, exist_ok=True)
        file = self.context.facts / f"{profile.id}-{self.worker}.json"
        file.write_text(json.dumps(facts), encoding="utf-8")
