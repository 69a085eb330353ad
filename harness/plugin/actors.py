"""The actors of a case: ready guests, clones and networks, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import pytest

from harness.errors import HarnessError
from harness.guests.guest import Guest
from harness.hypervisors.base import MachineState, Network
from harness.hypervisors.capabilities import NETWORK, Capability
from harness.hypervisors.definitions import NetworkDefinition
from harness.integration.prerequisites import require_foundations
from harness.lab import identity
from harness.lab.bench import Bench
from harness.lab.identity import Identity
from harness.lab.machine_slot import MachineSlot
from harness.lab.networks import DEFAULT_NETWORK
from harness.plugin.applicability import BOOTED, RESTORED, require_machine
from harness.plugin.collection import Target, feature_of

T = TypeVar("T")

GUESTS = pytest.StashKey[list[Guest]]()
"""The guests of a case, of which evidence is taken; one that did not become ready is among them."""


class Actors:
    """The guests and networks of one case; its first guests clear the worker's bench.

    Each request raises NotApplicable where the profile or the hypervisor rules it out, and
    HarnessError for a name that has no identity or is in the case already.
    """

    def __init__(self, bench: Bench, target: Target, item: pytest.Item) -> None:
        self._bench = bench
        self._target = target
        self._item = item
        self._taken: set[Identity] = set()
        self._lent: list[Guest] = []

    def guests(self, *names: str, network: str = DEFAULT_NETWORK) -> tuple[Guest, ...]:
        """Ready, pristine guests that all run, on one network, each with its own identity.

        Raises Blocked for one that does not become ready, or lacks what the case builds on.
        """
        identities = self._take(identity.GUESTS, names)
        self._require(RESTORED | {NETWORK})
        bench, profile, variant = self._bench, self._target.profile, self._target.variant
        slots = [bench.slot(profile, variant, each.role, each, network) for each in identities]
        self._clear_once()
        # All golden states before a guest runs, which would slow them down. The last first: while
        # another worker does the first boot of the first guest, which every case needs, this one
        # does another.
        for slot in reversed(slots):
            self._noting(slot, MachineSlot.prepare)
        return self._lend(slots, MachineSlot.restore_golden)

    def clones(self, *names: str) -> tuple[Guest, ...]:
        """Clones of the base image, powered off, each with its own identity and seed medium."""
        identities = self._take(identity.CLONES, names)
        self._require(BOOTED)
        bench, profile, variant = self._bench, self._target.profile, self._target.variant
        slots = [bench.unstarted_slot(profile, variant, each.role, each) for each in identities]
        self._clear_once()
        return self._lend(slots, MachineSlot.create_stopped)

    def network(self, name: str) -> tuple[Network, NetworkDefinition]:
        """The worker's network of this name, created at its first use."""
        self._require(frozenset({NETWORK}))
        return self._bench.networks.get(name)

    def check_for_crashes(self) -> None:
        """Raise GuestCrashed where a guest of the case crashed and no one expected it."""
        check_for_crashes(self._lent)

    def _take(self, known: Mapping[str, Identity], names: Sequence[str]) -> list[Identity]:
        """The identities of these actors, each once a case."""
        for name in names:
            if name not in known:
                raise HarnessError(
                    f"the case asks for {name!r}, and only {', '.join(known)} have identities",
                    remedy="add one to harness/lab/identity.py",
                )
            if known[name] in self._taken:
                raise HarnessError(f"the case has {known[name].role} already")
            self._taken.add(known[name])
        return [known[name] for name in names]

    def _require(self, capabilities: frozenset[Capability]) -> None:
        require_machine(self._bench, self._target, self._item, capabilities)

    def _clear_once(self) -> None:
        if not self._lent:
            self._bench.clear()

    def _noting(self, slot: MachineSlot, step: Callable[[MachineSlot], T]) -> T:
        """Take a step, and note the slot's guest, of which evidence is wanted if it failed."""
        present = self._item.stash.setdefault(GUESTS, [])
        try:
            return step(slot)
        finally:
            present += [slot.guest] if slot.guest is not None else []

    def _lend(
        self, slots: Iterable[MachineSlot], create: Callable[[MachineSlot], Guest]
    ) -> tuple[Guest, ...]:
        guests = [self._noting(slot, create) for slot in slots]
        require_ready(guests, feature_of(self._item))
        self._lent += guests
        return tuple(guests)


def require_ready(guests: Iterable[Guest], feature: str) -> None:
    """Raise Blocked where a running guest lacks what the case's feature builds on."""
    for guest in guests:
        if guest.machine.state() is MachineState.RUNNING:
            require_foundations(guest, feature)


def check_for_crashes(guests: Iterable[Guest]) -> None:
    """Raise GuestCrashed for a guest whose crash was neither noticed nor expected."""
    for guest in guests:
        if not guest.crash_expected:
            guest.crash_watch()
