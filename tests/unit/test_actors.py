"""The actors of a case over the fake hypervisor: any number of guests, on any network."""

from __future__ import annotations

import inspect
import ipaddress
from collections.abc import Iterator

import pytest

from harness.errors import Blocked, GuestCrashed, HarnessError, NotApplicable
from harness.events import EventKind
from harness.guests.guest import Guest
from harness.hypervisors.base import MachineState
from harness.hypervisors.capabilities import NETWORK, Capability
from harness.hypervisors.definitions import NetworkDefinition
from harness.hypervisors.facets.snapshots import SAVED_STATES
from harness.lab.bench import Bench
from harness.plugin import fixtures
from harness.plugin.actors import GUESTS, Actors
from harness.plugin.collection import Target
from harness.plugin.worker import NOTES, Notes, Worker
from tests.fakes.hypervisor import FakeHypervisor, silent_agent
from tests.unit.benches import bench, fake, target

__all__ = ["bench", "fake", "target"]


@pytest.fixture
def actors(bench: Bench, target: Target, request: pytest.FixtureRequest) -> Actors:
    """The actors of a case, without the check for crashes after it."""
    return Actors(bench, target, request.node)


def is_on(guest: Guest, network: NetworkDefinition) -> bool:
    """Whether the guest's card is on this network, with an address in its DHCP range."""
    (nic,) = guest.definition.nics
    assert nic.address is not None
    first, last = map(ipaddress.IPv4Address, (network.dhcp_start, network.dhcp_end))
    return nic.network == network.name and first <= ipaddress.IPv4Address(nic.address) <= last


def macs(*guests: Guest) -> set[str]:
    return {guest.definition.nics[0].mac for guest in guests}


def test_three_guests_are_up_at_once_on_two_networks(fake: FakeHypervisor, actors: Actors) -> None:
    first, second = actors.guests("a", "b")
    (third,) = actors.guests("c", network="b")

    guests = (first, second, third)
    assert list(fake.machines) == [guest.name for guest in guests], "one machine each"
    assert {guest.machine.state() for guest in guests} == {MachineState.RUNNING}
    assert len(macs(*guests)) == 3
    networks = [actors.network(name)[1] for name in ("a", "b")]
    placed = [[is_on(guest, network) for network in networks] for guest in guests]
    assert placed == [[True, False], [True, False], [False, True]]


def test_a_guest_has_one_disk_and_a_golden_state_on_each_network(
    bench: Bench, fake: FakeHypervisor, target: Target, request: pytest.FixtureRequest
) -> None:
    for _ in range(2):
        for network in ("a", "b"):
            Actors(bench, target, request.node).guests("a", network=network)

    roles = [machine.name.partition("fedora-41-")[2] for machine in fake.defined]
    golden, restored = ["bios-guest-a"] * 2, ["bios-guest-a-on-b"] * 2
    assert roles == [
        *("installation-guest-a", *golden, *restored),
        *("bios-guest-a", "bios-guest-a-on-b"),
    ]


def test_clones_beside_guests_have_identities_of_their_own(actors: Actors) -> None:
    guests = actors.guests("a", "b", "c", "d")
    clones = actors.clones("a", "b")

    assert {clone.machine.state() for clone in clones} == {MachineState.OFF}
    assert {guest.machine.state() for guest in guests} == {MachineState.RUNNING}
    assert len(macs(*guests, *clones)) == 6
    assert len({one.definition.nics[0].address for one in (*guests, *clones)}) == 6


@pytest.mark.parametrize(
    ("name", "reason"),
    [("e", "asks for 'e', and only a, b, c, d have identities"), ("a", "has guest-a already")],
)
def test_a_name_without_an_identity_of_its_own_is_refused(
    fake: FakeHypervisor, actors: Actors, name: str, reason: str
) -> None:
    actors.guests("a", "b")
    with pytest.raises(HarnessError, match=reason):
        actors.guests("c", name, network="b")
    assert len(fake.machines) == 2


def lent(request: pytest.FixtureRequest, bench: Bench, target: Target) -> Iterator[Actors]:
    """The fixture's own generator, which a test ends as pytest does."""
    generator: Iterator[Actors] = inspect.unwrap(fixtures.actors)(request, bench, target)
    return generator


def test_the_crash_of_the_third_is_noticed_after_the_case(
    bench: Bench, fake: FakeHypervisor, target: Target, request: pytest.FixtureRequest
) -> None:
    case = lent(request, bench, target)
    actors = next(case)
    actors.guests("a", "b")
    (third,) = actors.guests("c", network="b")
    fake.machines[third.name].events.add(EventKind.CRASHED)

    with pytest.raises(GuestCrashed):
        next(case)

    third.crash_expected = True
    actors.check_for_crashes()


def test_evidence_is_collected_from_every_guest_also_from_one_that_did_not_become_ready(
    bench: Bench,
    fake: FakeHypervisor,
    target: Target,
    actors: Actors,
    request: pytest.FixtureRequest,
) -> None:
    Actors(bench, target, request.node).guests("d", network="b")  # an earlier case: a first boot
    del request.node.stash[GUESTS]
    guests = [*actors.guests("a", "b"), *actors.guests("c", network="b")]
    assert request.node.stash[GUESTS] == guests
    fake.agent = silent_agent
    with pytest.raises(Blocked) as lost:
        actors.guests("d")

    request.node.stash[NOTES] = notes = Notes()
    Worker(bench)._note_failure(request.node, notes, lost.value, "call")

    described = [file for file in notes.evidence if file.endswith("machine.xml")]
    assert [any(name in file for file in described) for name in fake.machines] == [True] * 4


@pytest.mark.parametrize("lacking", [NETWORK, SAVED_STATES], ids=str)
def test_guests_that_cannot_be_made_here_are_not_applicable(
    fake: FakeHypervisor, actors: Actors, lacking: Capability
) -> None:
    fake.capabilities -= {lacking}
    with pytest.raises(NotApplicable, match=f"the hypervisor lacks {lacking}$"):
        actors.guests("a", "b", "c")
    assert not fake.machines


def test_clones_need_neither_networks_nor_saved_states(
    fake: FakeHypervisor, actors: Actors
) -> None:
    fake.capabilities -= {NETWORK, SAVED_STATES}
    assert len(actors.clones("a", "b")) == 2
    with pytest.raises(NotApplicable, match=f"the hypervisor lacks {NETWORK}$"):
        actors.network("a")


def test_all_golden_states_are_made_before_a_guest_runs_the_last_guest_s_first(
    fake: FakeHypervisor, actors: Actors
) -> None:
    actors.guests("a", "b")

    roles = [machine.name.partition("fedora-41-")[2] for machine in fake.defined]
    assert roles == [
        *("installation-guest-b", "bios-guest-b"),
        *("installation-guest-a", "bios-guest-a"),
        *("bios-guest-a", "bios-guest-b"),
    ]
