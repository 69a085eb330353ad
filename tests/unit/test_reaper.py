"""What runs left is removed, and nothing of a run that may live, here or elsewhere."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.hypervisors.definitions import NetworkDefinition, Ownership
from harness.hypervisors.leases import LEASE_TERM, lease_for, utc_now
from harness.lab.networks import Networks
from harness.lab.ownership import own, process_started
from harness.lab.reaper import (
    Removal,
    Status,
    find,
    reap_run,
    remove,
    require_free,
)
from harness.lab.renewal import LeaseRenewal
from harness.lab.workspace import Workspace
from harness.waiting import Deadline, NotYet, wait_until
from tests.fakes.hypervisor import FakeHypervisor
from tests.machines import a_machine

START = datetime(2026, 11, 28, 12, tzinfo=UTC)
A_MINUTE = timedelta(minutes=1)


def of_a_dead_process(run: str) -> Ownership:
    return dataclasses.replace(own(run), pid_started="another boot/1")


def of_another_host(run: str) -> Ownership:
    return dataclasses.replace(own(run), host="another")


class Lab:
    """A hypervisor that two controllers share, each with a store of its own, and a clock."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = START
        self.hypervisor = FakeHypervisor(now=lambda: self.now)
        self.here, self.there = folder / "here", folder / "there"
        monkeypatch.setattr(
            "harness.lab.workspace.lease_for", lambda owner: lease_for(owner, now=self.now)
        )

    def clean(self) -> Removal:
        """What `guestcert clean` does here."""
        found = find(self.hypervisor, self.here, self.now)
        return remove(self.hypervisor, [f for f in found if f.status is Status.STALE])

    @property
    def names(self) -> list[str]:
        return sorted(owned.name for owned in self.hypervisor.owned())


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    return Lab(tmp_path, monkeypatch)


def add_run(hypervisor: FakeHypervisor, root: Path, owner: Ownership) -> None:
    """A machine, a network and a folder of one run."""
    Workspace(root, owner).create()
    Networks(hypervisor, root, owner, "gw0").get("a")
    hypervisor.define(a_machine(name=f"guestcert-{owner.run}-gw0-guest", owner=owner))


def test_only_what_the_dead_left_is_removed(lab: Lab) -> None:
    add_run(lab.hypervisor, lab.here, own("alive"))
    add_run(lab.hypervisor, lab.here, of_a_dead_process("dead"))
    add_run(lab.hypervisor, lab.there, of_another_host("elsewhere"))

    removal = lab.clean()

    assert [each.partition(" ")[0] for each in removal.removed] == ["machine", "network", "files"]
    assert all("dead" in each for each in removal.removed)
    assert removal.failed == []
    assert [folder.name for folder in (lab.here / "runs").iterdir()] == ["alive"]
    assert len(lab.names) == 4


def test_clean_at_each_moment_of_another_host_s_run_leaves_it(lab: Lab) -> None:
    """The stages of a run: its folder, a network alone, a machine, the next one, nothing but it."""
    theirs = of_another_host("theirs")
    workspace = Workspace(lab.there, theirs)
    renewal = LeaseRenewal(workspace, lambda: lab.hypervisor)

    def define(name: str) -> None:
        lab.hypervisor.define(a_machine(name=f"guestcert-theirs-gw0-{name}", owner=theirs))

    def forget() -> None:
        lab.hypervisor.machines.clear()

    moments: list[Callable[[], object]] = [
        workspace.create,
        lambda: Networks(lab.hypervisor, lab.there, theirs, "gw0").get("a"),
        lambda: define("first"),
        forget,
        lambda: define("second"),
        *[renewal.renew] * 40,  # longer than a day
        forget,
        *[renewal.renew] * 5,
    ]
    started_at = lab.now
    for act in moments:
        act()
        before = lab.names
        for _ in range(2):
            lab.now += LEASE_TERM / 3
            assert lab.clean().removed == []
            assert lab.names == before
        renewal.renew()
    assert lab.now - started_at > timedelta(days=2)

    lab.now += LEASE_TERM + A_MINUTE  # it died

    assert lab.clean().removed == ["network guestcert-theirs-gw0-a"]
    assert lab.names == []
    assert workspace.folder.exists(), "it is in a store of theirs"


def test_a_store_that_hosts_share_answers_for_a_network_that_cannot_be_renewed(lab: Lab) -> None:
    theirs = of_another_host("theirs")
    add_run(lab.hypervisor, lab.here, theirs)
    lab.hypervisor.machines.clear()
    lab.now += LEASE_TERM + A_MINUTE
    Workspace(lab.here, theirs).renew()
    assert lab.clean().removed == []
    lab.now += LEASE_TERM + A_MINUTE
    assert len(lab.clean().removed) == 2


def test_a_machine_that_claims_to_be_of_a_run_draws_no_network_along(lab: Lab) -> None:
    add_run(lab.hypervisor, lab.there, of_another_host("alive"))
    lab.hypervisor.define(
        a_machine(name="guestcert-alive-gw0-x", owner=of_a_dead_process("alive-gw0"))
    )
    lab.clean()
    assert lab.names == ["guestcert-alive-gw0-a", "guestcert-alive-gw0-guest"]


def test_what_has_no_readable_owner_is_found_and_left(lab: Lab) -> None:
    add_run(lab.hypervisor, lab.here, own("mine"))
    lab.hypervisor.leases = dict.fromkeys(lab.hypervisor.leases)
    (lab.here / "runs" / "mine" / "owner.json").write_text("[" * 100_000, encoding="utf-8")
    found = find(lab.hypervisor, lab.here, lab.now)
    assert [each.status for each in found] == [Status.UNKNOWN] * 3
    assert lab.clean().removed == []
    assert len(remove(lab.hypervisor, found).removed) == 3
    assert lab.names == []


def naive(file: Path) -> None:
    document = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(document | {"expires": "2020-01-01T00:00:00"}), encoding="utf-8")


def fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def link(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to(file.with_name("elsewhere"))


SPOILERS: list[Callable[[Path], object]] = [
    naive,
    lambda file: file.write_bytes(b"\xff" * 100),
    lambda file: file.write_bytes(b"[" * 10_000_000),
    fifo,
    folder,
    link,
]


@pytest.mark.parametrize(
    "spoil", SPOILERS, ids=["naive", "bytes", "deep", "fifo", "folder", "link"]
)
def test_an_owner_file_that_is_none_ends_nothing(lab: Lab, spoil: Callable[[Path], object]) -> None:
    Workspace(lab.here, of_a_dead_process("spoilt")).create()
    Workspace(lab.here, of_a_dead_process("dead")).create()
    spoil(lab.here / "runs" / "spoilt" / "owner.json")
    assert lab.clean().removed == [f"files {lab.here / 'runs' / 'dead'}"]


def test_links_among_the_runs_are_not_followed(lab: Lab, tmp_path: Path) -> None:
    dead = Workspace(lab.here, of_a_dead_process("dead"))
    dead.create()
    victim = tmp_path / "victim"
    dead.folder.rename(victim)
    dead.folder.symlink_to(victim)
    assert lab.clean().removed == []
    link = find(lab.hypervisor, lab.here, lab.now)
    assert [each.status for each in link] == [Status.UNKNOWN]
    remove(lab.hypervisor, link)
    assert not dead.folder.is_symlink()
    assert (victim / "owner.json").exists()


def test_an_owner_file_vouches_for_its_own_folder_alone(lab: Lab) -> None:
    dead = Workspace(lab.here, of_a_dead_process("dead"))
    dead.create()
    dead.folder.rename(dead.folder.with_name("marathon"))
    assert lab.clean().removed == []


def test_a_run_removes_its_own_and_not_the_one_with_a_longer_name(lab: Lab) -> None:
    add_run(lab.hypervisor, lab.here, own("one"))
    add_run(lab.hypervisor, lab.here, own("one-more"))
    reap_run(lab.hypervisor, lab.here, "one")
    assert lab.names == ["guestcert-one-more-gw0-a", "guestcert-one-more-gw0-guest"]


def test_a_run_removes_nothing_of_its_namesake_elsewhere(lab: Lab) -> None:
    add_run(lab.hypervisor, lab.there, of_another_host("nightly"))
    Workspace(lab.here, own("nightly")).create()
    lab.hypervisor.now = utc_now
    for owned in lab.hypervisor.owned():
        lab.hypervisor.renew(owned)
    removal = reap_run(lab.hypervisor, lab.here, "nightly")
    assert removal.removed == [f"files {lab.here / 'runs' / 'nightly'}"]
    assert len(lab.names) == 2


def test_what_cannot_be_removed_is_reported_and_the_rest_goes(lab: Lab) -> None:
    lab.hypervisor.refuses = "guestcert-dead-gw0-guest"
    add_run(lab.hypervisor, lab.here, of_a_dead_process("dead"))
    removal = lab.clean()
    assert lab.names == ["guestcert-dead-gw0-guest"]
    assert "it is refused" in removal.failed[0]


def test_a_name_that_a_living_run_has_is_refused(tmp_path: Path) -> None:
    hypervisor = FakeHypervisor()
    Workspace(tmp_path, of_a_dead_process("nightly")).create()
    Workspace(tmp_path, own("mine")).create()
    for free in ("nightly", "mine", "new"):
        require_free(hypervisor, tmp_path, free)
    add_run(hypervisor, tmp_path / "there", of_another_host("nightly"))
    with pytest.raises(UsageError, match="nightly is still running, on another host or in"):
        require_free(hypervisor, tmp_path, "nightly")
    started = process_started(os.getppid())
    assert started is not None
    parent = dataclasses.replace(own("mine"), pid=os.getppid(), pid_started=started)
    Workspace(tmp_path, parent).create()
    with pytest.raises(UsageError, match=f"in process {os.getppid()}"):
        require_free(None, tmp_path, "mine")


def test_leases_are_renewed_in_the_background(tmp_path: Path) -> None:
    hypervisor = FakeHypervisor()
    add_run(hypervisor, tmp_path, own("mine"))
    add_run(hypervisor, tmp_path, own("other"))
    file = tmp_path / "runs" / "mine" / "owner.json"
    before, written = dict(hypervisor.leases), file.read_bytes()
    renewal = LeaseRenewal(Workspace(tmp_path, own("mine")), lambda: hypervisor, interval=0.01)
    renewal.start()

    def renewed() -> None:
        changed = [n for n, lease in hypervisor.leases.items() if lease != before[n]]
        if len(changed) < 2 or file.read_bytes() == written:
            raise NotYet(str(changed))

    wait_until(renewed, awaited="renewed leases", deadline=Deadline(30))
    renewal.close()
    assert hypervisor.leases["guestcert-other-gw0-a"] == before["guestcert-other-gw0-a"]
    assert renewal.trouble == ""


def test_a_renewal_that_fails_is_reported_and_tried_again(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, own("mine"))
    renewal = LeaseRenewal(workspace, lambda: None, interval=0.01)
    renewal.start()

    def reports(trouble: bool) -> Callable[[], None]:
        def probe() -> None:
            if bool(renewal.trouble) is not trouble:
                raise NotYet(renewal.trouble)

        return probe

    wait_until(reports(True), awaited="the trouble", deadline=Deadline(30))
    assert "could not be renewed" in renewal.trouble
    workspace.create()
    wait_until(reports(False), awaited="the renewal", deadline=Deadline(30))
    renewal.close()
    assert renewal.trouble == ""


def test_networks_stay_clear_of_each_other(tmp_path: Path) -> None:
    hypervisor = FakeHypervisor()
    networks = [Networks(hypervisor, tmp_path, own("run"), worker) for worker in ("gw0", "gw1")]
    made: list[NetworkDefinition] = [n.get(name)[1] for n in networks for name in ("a", "b")]
    assert len({definition.gateway for definition in made}) == 4
    assert len({definition.bridge for definition in made}) == 4
    assert all(len(definition.bridge) <= 15 for definition in made)
    assert networks[0].get("a")[1] is made[0], "the same name is the same network"
    networks[0].remove_all()
    assert len(hypervisor.networks) == 2
