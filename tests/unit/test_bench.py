"""A worker's bench over the fake hypervisor, and which machines stand on it during a case."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from harness.errors import Blocked, GuestCrashed, HarnessError, NotApplicable
from harness.hypervisors.capabilities import NETWORK, Capability
from harness.hypervisors.facets.console import CONSOLE
from harness.hypervisors.facets.snapshots import SAVED_STATES
from harness.image_store.store import ImageStore
from harness.lab.bench import Bench
from harness.oracles.footprint import Footprint
from harness.plugin import fixtures
from harness.plugin.collection import Target
from harness.plugin.fixtures import (
    SHARED,
    Shared,
    actors,
    clones,
    guest,
    machine,
    neighbours,
    unstarted,
)
from harness.plugin.worker import NOTES, Notes, Worker
from harness.profiles.hardware import Firmware
from harness.profiles.model import Profile
from tests.fakes.hypervisor import FakeHypervisor
from tests.unit.benches import bench, fake, target
from tests.unit.builders import a_profile

__all__ = ["bench", "fake", "target"]
__all__ += ["actors", "clones", "guest", "machine", "neighbours", "unstarted"]  # under test

EARLIER = a_profile("fedora-40")


def leave(bench: Bench, profile: Profile, role: str) -> str:
    """Leave a machine in a place, as a case before would have; returns its name."""
    place = bench.unstarted_slot(profile, Firmware.BIOS, role)
    place.create_stopped()
    return place.name


def test_a_closed_bench_lets_go_of_its_images(bench: Bench) -> None:
    image = bench.image(EARLIER)
    others = ImageStore(bench.context.store)
    assert others.prune(most_bytes=0) == []
    bench.close()
    assert others.prune(most_bytes=0) == [image.path.parent]


def test_a_bench_is_cleared_of_whatever_stands_there(bench: Bench, fake: FakeHypervisor) -> None:
    left = {leave(bench, EARLIER, "clone-a"), leave(bench, EARLIER, "clone-b")}
    assert set(fake.machines) == left
    assert {guest.name for guest in bench.guests_present()} == left

    bench.clear()

    assert not fake.machines
    assert not bench.guests_present()
    assert fake.networks, "the networks are for the cases to come"
    assert leave(bench, EARLIER, "clone-a") in left


@pytest.mark.parametrize(
    ("fixture", "roles"),
    [
        ("guest", ["guest-a"]),
        ("machine", ["machine"]),
        ("unstarted", ["unstarted"]),
        ("neighbours", ["guest-a", "guest-b"]),
        ("clones", ["clone-a", "clone-b"]),
    ],
)
def test_a_case_has_the_bench_for_itself(
    bench: Bench,
    fake: FakeHypervisor,
    target: Target,
    request: pytest.FixtureRequest,
    fixture: str,
    roles: list[str],
) -> None:
    before = leave(bench, target.profile, "left-over")

    request.getfixturevalue(fixture)

    assert before not in fake.machines
    assert sorted(name.partition("-bios-")[2] for name in fake.machines) == sorted(roles)


def test_whatever_a_lost_golden_state_blocks_has_its_evidence(
    bench: Bench, fake: FakeHypervisor, target: Target, request: pytest.FixtureRequest
) -> None:
    lost = Blocked("boot.ready", "it did not come up")
    worker = Worker(bench)
    leave(bench, target.profile, "guest-a")

    for _ in range(2):
        request.node.stash[NOTES] = notes = Notes()
        skipped = pytest.skip.Exception("blocked")
        skipped.__cause__ = lost
        worker._note_failure(request.node, notes, skipped, "setup")
        assert any(file.endswith("machine.xml") for file in notes.evidence)
        bench.clear()


def lent(request: pytest.FixtureRequest, guest: Mock) -> None:
    """Hand a guest to a case that ends at once."""
    assert list(fixtures._lend(request, guest)) == [guest]


def test_a_crash_that_a_case_did_not_notice_is_noticed_after_it(
    request: pytest.FixtureRequest,
) -> None:
    crashed = Mock(crash_expected=False)
    crashed.crash_watch.side_effect = GuestCrashed("Kernel panic")
    with pytest.raises(GuestCrashed, match="Kernel panic"):
        lent(request, crashed)
    crashed.crash_expected = True
    lent(request, crashed)
    assert crashed.crash_watch.call_count == 1, "an expected crash is looked for"


def footprint(boot_id: str = "a", errors: int = 1, units: tuple[str, ...] = ()) -> Footprint:
    return Footprint(boot_id, errors, units)


@pytest.mark.parametrize(
    "after", [footprint("b"), footprint(errors=2), footprint(units=("planted.service",))]
)
def test_a_read_only_case_that_changed_its_guest_is_broken(
    monkeypatch: pytest.MonkeyPatch, after: Footprint
) -> None:
    shared = Shared(Mock(), footprint())
    request = Mock(config=Mock(stash={SHARED: shared}), node=Mock(stash={}))
    request.node.get_closest_marker.return_value = None
    monkeypatch.setattr(Footprint, "of", lambda guest: footprint())
    assert list(fixtures._lend_shared(request, shared)) == [shared.guest]
    assert SHARED in request.config.stash, "the control: an unchanged guest is shared again"

    monkeypatch.setattr(Footprint, "of", lambda guest: after)
    with pytest.raises(HarnessError, match="marked read_only changed its guest"):
        list(fixtures._lend_shared(request, shared))
    assert SHARED not in request.config.stash, "the next case would have got the changed guest"


@pytest.mark.parametrize(
    ("fixture", "lacking"),
    [
        ("guest", SAVED_STATES),
        ("guest", CONSOLE),
        ("machine", CONSOLE),
        ("neighbours", SAVED_STATES),
        ("neighbours", NETWORK),
    ],
)
def test_a_guest_that_cannot_be_made_here_is_not_applicable(
    fake: FakeHypervisor,
    bench: Bench,
    target: Target,
    request: pytest.FixtureRequest,
    fixture: str,
    lacking: Capability,
) -> None:
    fake.capabilities -= {lacking}
    with pytest.raises(NotApplicable, match=f"the hypervisor lacks {lacking}$"):
        request.getfixturevalue(fixture)
    assert not fake.machines
