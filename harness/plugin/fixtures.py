"""The fixtures of cases: guest, machine, actors, neighbours, clones, integration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from harness.errors import HarnessError
from harness.features.tiers import Tier
from harness.guests.guest import Guest
from harness.hypervisors.base import Hypervisor
from harness.integration.contract import IntegrationServices
from harness.integration.services import services_of
from harness.lab.bench import Bench
from harness.lab.identity import Identity
from harness.lab.machine_slot import MachineSlot
from harness.lab.networks import Networks
from harness.oracles.footprint import Footprint
from harness.plugin.actors import GUESTS, Actors, check_for_crashes, require_ready
from harness.plugin.applicability import RESTORED, require_machine
from harness.plugin.collection import Target, feature_of

BENCH = pytest.StashKey[Bench]()


@dataclass
class Shared:
    """The guest that read-only cases share, with its footprint when it was restored."""

    guest: Guest
    footprint: Footprint


SHARED = pytest.StashKey[Shared]()


@dataclass(frozen=True)
class Neighbours:
    """Two ready guests on one host and one network, and the worker's networks."""

    first: Guest
    second: Guest
    networks: Networks


@dataclass(frozen=True)
class Clones:
    """Two powered-off guests that boot one base image for the first time."""

    first: Guest
    second: Guest


@pytest.fixture(scope="session")
def bench(pytestconfig: pytest.Config) -> Bench:
    """The worker's bench: its connection, its networks, its machine slots."""
    return pytestconfig.stash[BENCH]


@pytest.fixture(scope="session")
def hypervisor(bench: Bench) -> Hypervisor:
    """The hypervisor under the guests."""
    return bench.hypervisor


@pytest.fixture(scope="session")
def tier(bench: Bench) -> Tier:
    """How thorough the run is."""
    return bench.context.tier


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> Target:
    """The guest and variant that the case runs on."""
    chosen: Target = request.param
    return chosen


@pytest.fixture
def guest(request: pytest.FixtureRequest, bench: Bench, target: Target) -> Iterator[Guest]:
    """A ready guest, pristine: its golden state, over a fresh overlay.

    A read-only case may get the guest of the read-only case before it; its footprint is checked
    afterwards.
    """
    require_machine(bench, target, request.node, RESTORED)
    slot = bench.slot(target.profile, target.variant, Identity.GUEST_A.role)
    if request.node.get_closest_marker("read_only") is None:
        bench.clear()
        yield from _lend(request, slot.restore_golden())
        return
    yield from _lend_shared(request, _shared_guest(request.config, bench, slot))


@pytest.fixture
def machine(request: pytest.FixtureRequest, bench: Bench, target: Target) -> Iterator[Guest]:
    """A guest whose machine is defined and powered off, on a disk that was never booted."""
    require_machine(bench, target, request.node)
    bench.clear()
    slot = bench.slot(target.profile, target.variant, "machine")
    yield from _lend(request, slot.create_stopped())


@pytest.fixture
def unstarted(request: pytest.FixtureRequest, bench: Bench, target: Target) -> Iterator[Guest]:
    """A guest whose machine is defined for provisioning, and is never started.

    For the host's side alone: the hypervisor need not execute guest code.
    """
    require_machine(bench, target, request.node, frozenset())
    bench.clear()
    slot = bench.unstarted_slot(target.profile, target.variant, "unstarted")
    yield from _lend(request, slot.create_stopped())


@pytest.fixture
def actors(request: pytest.FixtureRequest, bench: Bench, target: Target) -> Iterator[Actors]:
    """Any number of guests and networks, by name; none of them crashed unnoticed.

    Asked for in a fixture of the case's module, they are up before the case.
    """
    lent = Actors(bench, target, request.node)
    yield lent
    lent.check_for_crashes()


@pytest.fixture
def neighbours(actors: Actors, bench: Bench) -> Neighbours:
    """Two pristine guests on one network, each with a first boot and an identity of its own."""
    first, second = actors.guests("a", "b")
    return Neighbours(first, second, bench.networks)


@pytest.fixture
def clones(actors: Actors) -> Clones:
    """Two clones of the base image, powered off, each with a seed of its own."""
    return Clones(*actors.clones("a", "b"))


@pytest.fixture
def integration(guest: Guest) -> IntegrationServices:
    """The guest's integration services."""
    return services_of(guest)


def _lend(request: pytest.FixtureRequest, guest: Guest) -> Iterator[Guest]:
    """Lend a guest to a case, then check that it did not crash unnoticed.

    Raises Blocked where the guest runs and lacks what the case's feature builds on.
    """
    request.node.stash[GUESTS] = [guest]
    require_ready([guest], feature_of(request.node))
    yield guest
    check_for_crashes([guest])


def _lend_shared(request: pytest.FixtureRequest, shared: Shared) -> Iterator[Guest]:
    """Lend the guest of read-only cases, then check that the case left it unchanged."""
    yield from _lend(request, shared.guest)
    _check_unchanged(request.config, shared)


def _shared_guest(config: pytest.Config, bench: Bench, slot: MachineSlot) -> Shared:
    shared = config.stash.get(SHARED, None)
    if shared is None or shared.guest is not slot.guest:
        bench.clear()
        guest = slot.restore_golden()
        shared = Shared(guest, Footprint.of(guest))
        config.stash[SHARED] = shared
    return shared


def _check_unchanged(config: pytest.Config, shared: Shared) -> None:
    """Raise HarnessError where a read-only case changed its guest, which is not shared again."""
    after = Footprint.of(shared.guest)
    if after != shared.footprint:
        del config.stash[SHARED]
        raise HarnessError(
            f"a case marked read_only changed its guest from {shared.footprint} to {after}",
            remedy="take the read_only mark from the case",
        )
