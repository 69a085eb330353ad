"""The fixtures of cases: guest, machine, neighbours, clones, integration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from harness.errors import HarnessError, NotApplicable
from harness.features.tiers import Tier
from harness.guests.guest import Guest
from harness.hypervisors.base import Hypervisor, MachineState
from harness.hypervisors.capabilities import NETWORK, RUN, SECURE_BOOT, UEFI, Capability
from harness.hypervisors.facets.console import CONSOLE
from harness.hypervisors.facets.snapshots import SAVED_STATES
from harness.integration.contract import IntegrationServices
from harness.integration.prerequisites import require_foundations
from harness.integration.services import services_of
from harness.lab.bench import Bench
from harness.lab.identity import Identity
from harness.lab.machine_slot import MachineSlot
from harness.lab.networks import Networks
from harness.oracles.footprint import Footprint
from harness.plugin.applicability import require_system
from harness.plugin.collection import Target, feature_of
from harness.profiles.variants import firmware_of, variants_on

BENCH = pytest.StashKey[Bench]()
GUESTS = pytest.StashKey[list[Guest]]()
"""The guests of a case, of which evidence is taken."""

BOOTED = frozenset({RUN, CONSOLE})
"""Capabilities for a started guest, whose console is read from the first instruction on."""

RESTORED = BOOTED | {SAVED_STATES}
"""Capabilities for a guest in its golden state."""


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
    _require(bench, target, request.node, RESTORED)
    slot = bench.slot(target.profile, target.variant, Identity.GUEST_A.role)
    if request.node.get_closest_marker("read_only") is None:
        bench.clear()
        yield from _lend(request, [slot.restore_golden()])
        return
    yield from _lend_shared(request, _shared_guest(request.config, bench, slot))


@pytest.fixture
def machine(request: pytest.FixtureRequest, bench: Bench, target: Target) -> Iterator[Guest]:
    """A guest whose machine is defined and powered off, on a disk that was never booted."""
    _require(bench, target, request.node)
    bench.clear()
    slot = bench.slot(target.profile, target.variant, "machine")
    yield from _lend(request, [slot.create_stopped()])


@pytest.fixture
def unstarted(request: pytest.FixtureRequest, bench: Bench, target: Target) -> Iterator[Guest]:
    """A guest whose machine is defined for provisioning, and is never started.

    For the host's side alone: the hypervisor need not execute guest code.
    """
    _require(bench, target, request.node, frozenset())
    bench.clear()
    slot = bench.unstarted_slot(target.profile, target.variant, "unstarted")
    yield from _lend(request, [slot.create_stopped()])


@pytest.fixture
def neighbours(
    request: pytest.FixtureRequest, bench: Bench, target: Target
) -> Iterator[Neighbours]:
    """Two pristine guests on one network, each with a first boot and an identity of its own."""
    _require(bench, target, request.node, RESTORED | {NETWORK})
    bench.clear()
    slots = [
        bench.slot(target.profile, target.variant, identity.role, identity)
        for identity in (Identity.GUEST_A, Identity.GUEST_B)
    ]
    first, second = (slot.restore_golden() for slot in slots)
    for _ in _lend(request, [first, second]):
        yield Neighbours(first, second, bench.networks)


@pytest.fixture
def clones(request: pytest.FixtureRequest, bench: Bench, target: Target) -> Iterator[Clones]:
    """Two clones of the base image, powered off, each with a seed of its own."""
    _require(bench, target, request.node)
    bench.clear()
    slots = [
        bench.unstarted_slot(target.profile, target.variant, identity.role, identity)
        for identity in (Identity.CLONE_A, Identity.CLONE_B)
    ]
    first, second = (slot.create_stopped() for slot in slots)
    for _ in _lend(request, [first, second]):
        yield Clones(first, second)


@pytest.fixture
def integration(guest: Guest) -> IntegrationServices:
    """The guest's integration services."""
    return services_of(guest)


def _lend(request: pytest.FixtureRequest, guests: list[Guest]) -> Iterator[Guest]:
    """Lend guests to a case, then check that none of them crashed unnoticed.

    Raises Blocked where a running guest lacks what the case's feature builds on.
    """
    request.node.stash[GUESTS] = guests
    for guest in guests:
        if guest.machine.state() is MachineState.RUNNING:
            require_foundations(guest, feature_of(request.node))
    yield guests[0]
    for guest in guests:
        if not guest.crash_expected:
            guest.crash_watch()


def _lend_shared(request: pytest.FixtureRequest, shared: Shared) -> Iterator[Guest]:
    """Lend the guest of read-only cases, then check that the case left it unchanged."""
    yield from _lend(request, [shared.guest])
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


def _require(
    bench: Bench, target: Target, node: pytest.Item, needed_here: frozenset[Capability] = BOOTED
) -> None:
    """Raise NotApplicable where the profile or the hypervisor rules the case out.

    A missing firmware is the lab's: HarnessError.
    """
    if target.variant not in variants_on(target.profile, bench.kind):
        raise NotApplicable(f"the profile {target.profile.id} names no variant {target.variant}")
    for marker in node.iter_markers("only_on"):
        require_system(target.profile, marker.args, marker.kwargs["because"])
    capabilities = {"uefi": UEFI, "secure-boot": SECURE_BOOT}
    needed = capabilities.get(firmware_of(target.profile, target.variant))
    wanted = set(needed_here)
    if wanted <= bench.capabilities and needed and needed not in bench.capabilities:
        raise HarnessError(
            f"this host has no firmware for {target.variant}",
            remedy="install OVMF (Debian: ovmf, Fedora: edk2-ovmf)",
        )
    for marker in node.iter_markers("requires"):
        wanted.update(marker.args)
    missing = wanted - bench.capabilities
    if RUN in missing:
        raise NotApplicable("the hypervisor executes no guest code here (it lacks run)")
    if missing:
        raise NotApplicable(f"the hypervisor lacks {', '.join(sorted(map(str, missing)))}")
