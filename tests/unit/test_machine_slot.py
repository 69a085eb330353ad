"""Places and installations over the fake hypervisor: what is made once, and what each time."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import (
    Blocked,
    ChannelError,
    HarnessError,
    HypervisorError,
    HypervisorUnreachableError,
)
from harness.guests.guest import Credentials, Guest
from harness.guests.guest_clock import GuestClock
from harness.hypervisors.base import Machine, MachineState
from harness.hypervisors.definitions import Accelerator, MachineDefinition
from harness.hypervisors.nic_policy import NicPolicy
from harness.image_store.iso import describe_iso
from harness.lab.first_boot import FirstBoot
from harness.lab.identity import Identity, mac_address
from harness.lab.machine_slot import Blueprint, MachineSlot
from harness.lab.ownership import own
from harness.lab.seed_medium import seed
from harness.profiles.hardware import Firmware
from harness.time_accounting import TimeLedger
from tests.fakes.hypervisor import Agent, FakeHypervisor, silent_agent, willing_agent
from tests.machines import a_network
from tests.unit.builders import a_profile

NETWORK = a_network(
    reservations={
        mac_address("test", identity): f"10.217.0.{16 + identity}" for identity in Identity
    }
)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    disk = tmp_path / "base.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "64M"], check=True)
    return disk


class Lab:
    """Makes places, and clears them all when a test is over."""

    def __init__(self, folder: Path, base: Path) -> None:
        self._folder = folder
        self._base = base
        self._places: list[MachineSlot] = []

    def slot(
        self,
        agent: Agent = willing_agent,
        role: str = "guest",
        identity: Identity = Identity.GUEST_A,
    ) -> MachineSlot:
        quick = {"ready_seconds": 1, "shutdown_seconds": 1}
        slot = MachineSlot(
            blueprint=Blueprint(
                a_profile(budgets=quick),
                Firmware.BIOS,
                Accelerator.KVM,
                Credentials("guestcert", "secret"),
                own("test"),
            ),
            name=f"guestcert-test-{role}",
            folder=self._folder / role,
            base=lambda: self._base,
            vcpus=1,
            identity=identity,
            network=NETWORK,
            hypervisor=FakeHypervisor(agent=agent),
            ledger=TimeLedger(),
            progress=lambda _state, _log: None,
        )
        self._places.append(slot)
        return slot

    def clear(self) -> None:
        for slot in self._places:
            slot.clear()


@pytest.fixture
def lab(tmp_path: Path, base: Path) -> Iterator[Lab]:
    made = Lab(tmp_path, base)
    yield made
    made.clear()


def backing(disk: Path) -> str:
    shown = subprocess.run(
        ["qemu-img", "info", "--output=json", str(disk)], check=True, capture_output=True
    )
    return Path(json.loads(shown.stdout)["backing-filename"]).name


def keeping_nothing(_guest: Guest) -> tuple[str, ...]:
    return ("evidence/installation/console.log",)


def noting_nothing(_guest: Guest) -> None:
    """In the slot of what asks a ready guest for its software."""


def test_a_powered_off_guest_stands_on_an_overlay_of_the_base(lab: Lab) -> None:
    slot = lab.slot()
    guest = slot.create_stopped()
    assert guest.machine.state() is MachineState.OFF
    assert backing(slot.root) == "base.qcow2"


def test_a_guest_is_not_charged_for_what_its_host_kept_from_it(lab: Lab) -> None:
    deadline = lab.slot().create_stopped().budget(100)
    assert isinstance(deadline.clock, GuestClock)


def test_a_pristine_guest_is_restored_from_a_state_saved_once(lab: Lab) -> None:
    slot = lab.slot()
    hypervisor = slot.hypervisor
    assert isinstance(hypervisor, FakeHypervisor)
    first = slot.restore_golden()
    assert first.machine.state() is MachineState.RUNNING
    assert len(hypervisor.defined) == 2, "one to save the state, one to restore it"
    assert backing(slot.root) == "golden.qcow2"
    slot.root.write_bytes(b"what the first guest did")

    slot.restore_golden()

    assert len(hypervisor.defined) == 3, "the second guest is only restored"
    assert backing(slot.root) == "golden.qcow2"


def test_a_guest_that_does_not_come_up_blocks_all_its_cases(lab: Lab) -> None:
    slot = lab.slot(silent_agent)
    with pytest.raises(Blocked, match=r"boot\.ready: waited 1 s for guestcert-test-guest"):
        slot.restore_golden()
    slot.hypervisor = FakeHypervisor(agent=willing_agent)
    with pytest.raises(Blocked, match=r"boot\.ready"):
        slot.restore_golden()


def test_two_places_share_nothing_but_the_base(lab: Lab) -> None:
    one = lab.slot().definition()
    two = lab.slot(role="guest-b", identity=Identity.GUEST_B).definition()
    assert one.uuid != two.uuid
    assert one.nics[0].mac != two.nics[0].mac
    assert one.nics[0].address != two.nics[0].address
    assert one.disks[0].path != two.disks[0].path
    assert one.smbios_serial != two.smbios_serial
    assert lab.slot().definition().uuid == one.uuid


def test_machines_over_one_installed_disk_have_one_card(lab: Lab) -> None:
    """The first boot writes the network's configuration onto that disk, for the MAC it saw."""
    first_boot = lab.slot(role="installation").definition()
    later = lab.slot(role="machine").definition()
    assert first_boot.nics == later.nics
    assert first_boot.nics[0].address == NETWORK.reservations[first_boot.nics[0].mac]
    assert first_boot.nics[0].policy == NicPolicy(), "the guest can forge nothing"


def test_a_cleared_place_has_no_machine(lab: Lab) -> None:
    slot = lab.slot()
    slot.create_stopped()
    slot.clear()
    assert slot.guest is None
    assert list(slot.hypervisor.owned()) == []


def test_a_guest_is_installed_once_for_all_workers(lab: Lab) -> None:
    disks = [FirstBoot(lab.slot(role="installation"), keeping_nothing, noting_nothing).disk()]
    # The second worker's hypervisor would not bring the guest up: it does not need to.
    late = lab.slot(silent_agent, role="installation")
    output: list[str] = []
    late.progress = lambda state, _log: output.append(state)
    disks.append(FirstBoot(late, keeping_nothing, noting_nothing).disk())
    assert disks[0] == disks[1]
    assert output == [], "there is nothing to wait for"
    assert backing(disks[0]) == "base.qcow2"
    assert late.guest is None


def test_a_seed_is_of_the_kind_that_the_profile_names(lab: Lab) -> None:
    slot = lab.slot()
    profile = a_profile(seed="config-drive")
    slot.blueprint = dataclasses.replace(slot.blueprint, profile=profile)
    seed(slot)
    assert describe_iso(slot.seed).words["volume-id"] == "config-2"


def test_a_machine_has_its_seed_as_a_disk_that_it_cannot_write(lab: Lab) -> None:
    slot = lab.slot()
    assert [disk.serial for disk in slot.definition().disks] == ["GC-ROOT"]
    seed(slot)
    _, disk = slot.definition().disks
    assert (disk.path, disk.serial) == (slot.seed, "GC-SEED")
    assert (disk.format, disk.read_only, disk.boot_order) == ("raw", True, None)


def test_a_machine_that_runs_is_not_redefined_and_that_is_no_fault_of_the_guest(lab: Lab) -> None:
    guest = lab.slot().restore_golden()
    with pytest.raises(HarnessError, match="must be off to be redefined, and is running"):
        guest.redefine(vcpus=2)
    guest.machine.power_off()
    guest.redefine(vcpus=2)
    assert guest.definition.vcpus == 2


def test_a_guest_that_does_not_answer_after_its_restore_is_the_lab_s(lab: Lab) -> None:
    slot = lab.slot()
    slot.restore_golden()
    fake = slot.hypervisor
    assert isinstance(fake, FakeHypervisor)
    fake.agent = silent_agent
    with pytest.raises(HarnessError, match="does not answer after its golden state was restored"):
        slot.restore_golden()


def test_the_seed_with_its_password_does_not_outlive_the_installation(lab: Lab) -> None:
    slot = lab.slot(role="installation")
    FirstBoot(slot, keeping_nothing, noting_nothing).disk()
    assert not slot.seed.exists()
    assert len(slot.definition().disks) == 1


def test_a_failed_installation_is_remembered_with_its_evidence(lab: Lab) -> None:
    slot = lab.slot(silent_agent, role="installation")
    with pytest.raises(Blocked) as first:
        FirstBoot(slot, keeping_nothing, noting_nothing).disk()
    other = lab.slot(willing_agent, role="installation")
    with pytest.raises(Blocked) as second:
        FirstBoot(other, keeping_nothing, noting_nothing).disk()
    for caught in (first.value, second.value):
        assert caught.feature == "boot.ready"
        assert "waited 1 s" in caught.sentence
        assert caught.evidence == ("evidence/installation/console.log",)
    assert slot.guest is None, "the machine that did not come up is taken away"


def test_what_broke_the_first_boot_is_not_tried_by_every_case(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_machine: MachineDefinition) -> Machine:
        raise HypervisorError("defining it: out of memory", remedy="run fewer at once")

    slot = lab.slot(role="installation")
    monkeypatch.setattr(slot.hypervisor, "define", refuse)
    with pytest.raises(HypervisorError, match="out of memory"):
        FirstBoot(slot, keeping_nothing, noting_nothing).disk()
    other = lab.slot(willing_agent, role="installation")
    with pytest.raises(HarnessError, match="out of memory") as second:
        FirstBoot(other, keeping_nothing, noting_nothing).disk()
    assert second.value.remedy == "run fewer at once"
    assert isinstance(other.hypervisor, FakeHypervisor)
    assert other.hypervisor.defined == []


def test_a_channel_that_broke_the_golden_state_is_not_tried_by_every_case(lab: Lab) -> None:
    asked: list[object] = []

    def agent(command: dict[str, object]) -> object:
        asked.append(command)
        if command["execute"] == "guest-exec-status" and len(asked) > 5:
            raise ChannelError("an answer that cannot be understood")
        return willing_agent(command)

    slot = lab.slot(agent)
    for _ in range(2):
        with pytest.raises(ChannelError, match="cannot be understood"):
            slot.restore_golden()
    assert isinstance(slot.hypervisor, FakeHypervisor)
    assert len(slot.hypervisor.defined) == 1


def test_a_connection_that_was_lost_is_looked_for_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(_machine: MachineDefinition) -> Machine:
        raise HypervisorUnreachableError("libvirt is gone")

    slot = lab.slot(role="installation")
    monkeypatch.setattr(slot.hypervisor, "define", lose)
    with pytest.raises(HypervisorUnreachableError):
        FirstBoot(slot, keeping_nothing, noting_nothing).disk()
    other = lab.slot(role="installation")
    assert FirstBoot(other, keeping_nothing, noting_nothing).disk().exists()
