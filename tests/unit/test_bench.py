"""A worker's bench over the fake hypervisor: which machines stand at once."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.hypervisors.definitions import Accelerator
from harness.lab.bench import Bench
from harness.lab.context import RunContext
from harness.lab.ownership import own
from harness.lab.workspace import Workspace
from harness.profiles.hardware import Firmware
from harness.profiles.model import Profile
from harness.tiers import Tier
from tests.fakes.hypervisor import FakeHypervisor
from tests.unit.builders import a_profile


@pytest.fixture
def hypervisor() -> FakeHypervisor:
    return FakeHypervisor()


@pytest.fixture
def bench(tmp_path: Path, hypervisor: FakeHypervisor) -> Iterator[Bench]:
    image = tmp_path / "own.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, "64M"], check=True)
    context = RunContext(
        owner=own("20261126-054735-f456"),
        reports=tmp_path / "reports",
        store=tmp_path / "store",
        hypervisor="fake:///",
        accelerator=Accelerator.TCG,
        accelerator_reason="a test asks for it",
        image=image,
        recipe=None,
        tier=Tier.SMOKE,
        password="secret",
    )
    Workspace(context.store, context.owner).create()
    made = Bench(context, "gw0")
    made.hypervisor = hypervisor
    yield made
    made.close()


def stand_in(bench: Bench, profile: Profile, role: str) -> str:
    """Put a powered-off machine in a place; returns its name."""
    place = bench.unstarted_place(profile, Firmware.BIOS, role)
    place.powered_off()
    return place.name


def test_machines_of_one_profile_stand_beside_each_other(
    bench: Bench, hypervisor: FakeHypervisor
) -> None:
    profile = a_profile("fedora-40")

    names = {stand_in(bench, profile, "clone"), stand_in(bench, profile, "other-clone")}

    assert set(hypervisor.machines) == names
    assert {guest.name for guest in bench.guests_present()} == names


def test_the_machines_of_another_profile_make_room(
    bench: Bench, hypervisor: FakeHypervisor
) -> None:
    stand_in(bench, a_profile("fedora-40"), "clone")

    newer = stand_in(bench, a_profile("fedora-41"), "clone")

    assert set(hypervisor.machines) == {newer}
    assert [guest.name for guest in bench.guests_present()] == [newer]


def test_a_place_that_made_room_is_taken_again(bench: Bench, hypervisor: FakeHypervisor) -> None:
    first = stand_in(bench, a_profile("fedora-40"), "clone")
    stand_in(bench, a_profile("fedora-41"), "clone")

    again = stand_in(bench, a_profile("fedora-40"), "clone")

    assert again == first
    assert set(hypervisor.machines) == {first}
