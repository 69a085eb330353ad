"""A libvirt domain with its connection and definition: what the facets of a machine act on."""

from __future__ import annotations

from dataclasses import dataclass

import libvirt

from harness.hypervisors.definitions import MachineDefinition


@dataclass(frozen=True)
class Domain:
    """A domain."""

    connection: libvirt.virConnect
    handle: libvirt.virDomain
    definition: MachineDefinition

    @property
    def name(self) -> str:
        """The machine's name."""
        return self.definition.name
