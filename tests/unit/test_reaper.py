"""The reaper takes what is dead and ours, and nothing else."""

from __future__ import annotations

import dataclasses
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.hypervisors.definitions import NetworkDefinition, Ownership
from harness.lab.networks import Networks
from harness.lab.ownership import is_alive, own, process_started
from harness.lab.reaper import reap_dead, reap_run
from harness.lab.workspace import Workspace
from tests.fakes.hypervisor import FakeHypervisor
from tests.machines import a_machine


def of_a_dead_process(run: str) -> Ownership:
    return dataclasses.replace(own(run), pid_started="another boot/1")


def add_run(hypervisor: FakeHypervisor, root: Path, owner: Ownership) -> None:
    """A machine, a network and a folder of one run."""
    hypervisor.define(a_machine(name=f"guestcert-{owner.run}-gw0-guest", owner=owner))
    Networks(hypervisor, root, owner, "gw0").get(1)
    Workspace(root, owner).create()


def names(hypervisor: FakeHypervisor) -> list[str]:
    return sorted(owned.name for owned in hypervisor.owned())


def test_only_what_the_dead_left_is_taken(tmp_path: Path) -> None:
    hypervisor = FakeHypervisor()
    add_run(hypervisor, tmp_path, own("alive"))
    add_run(hypervisor, tmp_path, of_a_dead_process("dead"))

    reaped = reap_dead(hypervisor, tmp_path)

    assert names(hypervisor) == ["guestcert-alive-gw0-1", "guestcert-alive-gw0-guest"]
    assert [folder.name for folder in (tmp_path / "runs").iterdir()] == ["alive"]
    assert len(reaped.removed) == 3
    assert len(reaped.kept) == 3
    assert reaped.failed == []


def test_what_belongs_to_no_known_run_is_taken(tmp_path: Path) -> None:
    hypervisor = FakeHypervisor()
    add_run(hypervisor, tmp_path, of_a_dead_process("dead"))
    Workspace(tmp_path, own("dead")).remove()
    reap_dead(hypervisor, tmp_path)
    assert names(hypervisor) == []


def test_a_living_run_with_another_store_keeps_its_network(tmp_path: Path) -> None:
    hypervisor = FakeHypervisor()
    add_run(hypervisor, tmp_path / "theirs", own("alive"))
    reap_dead(hypervisor, tmp_path / "ours")
    assert names(hypervisor) == ["guestcert-alive-gw0-1", "guestcert-alive-gw0-guest"]


def test_a_run_takes_its_own_and_not_the_one_with_a_longer_name(tmp_path: Path) -> None:
    hypervisor = FakeHypervisor()
    add_run(hypervisor, tmp_path, own("one"))
    add_run(hypervisor, tmp_path, own("one-more"))
    reap_run(hypervisor, tmp_path, "one")
    assert names(hypervisor) == ["guestcert-one-more-gw0-1", "guestcert-one-more-gw0-guest"]


def test_what_can_not_be_taken_is_told_and_the_rest_goes(tmp_path: Path) -> None:
    hypervisor = FakeHypervisor(refuses="guestcert-dead-gw0-guest")
    add_run(hypervisor, tmp_path, of_a_dead_process("dead"))
    reaped = reap_dead(hypervisor, tmp_path)
    assert names(hypervisor) == ["guestcert-dead-gw0-guest"]
    assert "it is refused" in reaped.failed[0]


def test_a_process_is_alive_only_with_its_own_start(tmp_path: Path) -> None:
    assert is_alive(own("run"))
    assert not is_alive(of_a_dead_process("run"))
    expired = dataclasses.replace(own("run"), expires=datetime.now(UTC) - timedelta(seconds=1))
    assert not is_alive(expired)
    assert process_started(os.getpid()) == process_started(os.getpid())


def test_networks_stay_clear_of_each_other(tmp_path: Path) -> None:
    hypervisor = FakeHypervisor()
    networks = [Networks(hypervisor, tmp_path, own("run"), worker) for worker in ("gw0", "gw1")]
    made: list[NetworkDefinition] = [n.get(number)[1] for n in networks for number in (1, 2)]
    assert len({definition.gateway for definition in made}) == 4
    assert len({definition.bridge for definition in made}) == 4
    assert all(len(definition.bridge) <= 15 for definition in made)
    assert networks[0].get(1)[1] is made[0], "the same number is the same network"
    networks[0].remove_all()
    assert len(hypervisor.networks) == 2
