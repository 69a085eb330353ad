"""The contract of integration services, held by QEMU's and by Hyper-V's implementation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import Mock

import pytest

from harness.channels.base import CommandResult
from harness.errors import ChannelError, GuestFailure, GuestTimeout, HarnessError, NotApplicable
from harness.guests.guest import Credentials, Guest
from harness.hypervisors.base import Machine, MachineState
from harness.hypervisors.facets.host_services import ServiceName
from harness.hypervisors.facets.power import POWER_SERVICE
from harness.hypervisors.hyperv.connection import HypervHypervisor
from harness.integration import common
from harness.integration.contract import HeartbeatState, IntegrationServices
from harness.integration.hyperv import HypervServices
from harness.integration.qemu import QemuServices
from harness.integration.services import services_of
from harness.profiles.loader import load_profiles
from harness.profiles.selection import select
from harness.time_accounting import TimeLedger
from tests.fakes.hyperv_host.model import GuestModel, HostModel
from tests.fakes.hypervisor import FakeHypervisor
from tests.machines import a_machine


@dataclass
class Subject:
    """A running guest, and a way to silence the side of its services in it."""

    guest: Guest
    services: IntegrationServices
    silence: Callable[[], None]


def guest_on(machine: Machine, folder: Path) -> Guest:
    (profile,) = select(load_profiles(), ["debian-12"])
    credentials = Credentials("guestcert", "password")
    return Guest(machine, profile, credentials, folder, TimeLedger(), lambda _: machine)


class ScriptedAgent:
    """An agent that answers while its unit runs; its guest's console switches that."""

    def __init__(self) -> None:
        self.runs = True
        self.exit_status = 0

    def __call__(self, command: dict[str, object]) -> object:
        if not self.runs:
            raise ChannelError("no answer from the guest agent")
        return {}

    def run(self, arguments: Sequence[str], *, timeout: float) -> CommandResult:
        """The console's shell: it runs systemctl."""
        systemctl, verb, unit = arguments
        assert (systemctl, unit) == ("systemctl", "qemu-guest-agent.service")
        if self.exit_status == 0:
            self.runs = verb == "start"
        return CommandResult(tuple(arguments), self.exit_status, b"", b"")


@pytest.fixture
def agent() -> ScriptedAgent:
    return ScriptedAgent()


@pytest.fixture
def on_qemu(agent: ScriptedAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Subject:
    machine = FakeHypervisor(agent=agent).define(a_machine())
    machine.start()
    guest = guest_on(machine, tmp_path)
    monkeypatch.setattr(guest, "shell", lambda: agent)
    return Subject(guest, services_of(guest), lambda: setattr(agent, "runs", False))


@pytest.fixture
def on_hyperv(host: HostModel, hypervisor: HypervHypervisor, tmp_path: Path) -> Subject:
    machine = hypervisor.define(a_machine())
    machine.start()
    model = host.machines[machine.name].guest = GuestModel()
    guest = guest_on(machine, tmp_path)
    return Subject(guest, services_of(guest), lambda: model.answers.remove(ServiceName.HEARTBEAT))


@pytest.fixture(params=["on_qemu", "on_hyperv"])
def subject(request: pytest.FixtureRequest) -> Subject:
    """Each implementation in turn."""
    made: Subject = request.getfixturevalue(request.param)
    return made


def test_the_choice_is_by_the_hypervisor(on_qemu: Subject, on_hyperv: Subject) -> None:
    assert isinstance(on_qemu.services, QemuServices)
    assert isinstance(on_hyperv.services, HypervServices)


def test_the_heartbeat_is_the_guest_s_and_the_machine_s(subject: Subject) -> None:
    heartbeat, machine = subject.services.heartbeat, subject.guest.machine
    assert heartbeat.state() is HeartbeatState.OK
    subject.silence()
    assert heartbeat.state() is HeartbeatState.LOST
    machine.pause()
    assert heartbeat.state() is HeartbeatState.PAUSED
    machine.power_off()
    assert heartbeat.state() is HeartbeatState.OFF
    heartbeat.await_end(seconds=0.1)


def test_a_heartbeat_that_does_not_come_is_the_guest_s_failure(subject: Subject) -> None:
    heartbeat = subject.services.heartbeat
    heartbeat.await_state(HeartbeatState.OK, seconds=5)
    with pytest.raises(GuestTimeout, match="to be lost, last saw heartbeat ok"):
        heartbeat.await_state(HeartbeatState.LOST, seconds=0.1)
    with pytest.raises(GuestTimeout, match="to end, last saw heartbeat ok"):
        heartbeat.await_end(seconds=0.1)


def test_a_heartbeat_is_lost_while_its_service_is_disabled(subject: Subject) -> None:
    heartbeat = subject.services.heartbeat
    with heartbeat.disabled():
        assert heartbeat.state() is HeartbeatState.LOST
    assert heartbeat.state() is HeartbeatState.OK


def test_a_request_fails_while_its_service_is_disabled_and_works_after_it(
    subject: Subject,
) -> None:
    shutdown = subject.services.shutdown
    with shutdown.disabled(), pytest.raises(ChannelError):
        shutdown.request(POWER_SERVICE)
    assert subject.guest.machine.state() is MachineState.RUNNING
    assert shutdown.power_off(POWER_SERVICE, seconds=20).detail == "shutdown"
    assert subject.guest.machine.state() is MachineState.OFF


def test_a_power_off_that_no_service_takes_is_the_guest_s_failure(subject: Subject) -> None:
    shutdown = subject.services.shutdown
    with shutdown.disabled(), pytest.raises(GuestFailure):
        shutdown.power_off(POWER_SERVICE, seconds=1)


def test_a_switch_that_does_nothing_is_noticed(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common, "SWITCHED_WITHIN", 0.1)
    heartbeat = subject.services.heartbeat
    monkeypatch.setattr(type(heartbeat), "_control", lambda *_, on: None)
    with pytest.raises(GuestTimeout, match=r"the heartbeat of .* to be lost"), heartbeat.disabled():
        raise AssertionError("the block was entered")


@pytest.mark.parametrize(("status", "error"), [(1, GuestFailure), (5, HarnessError)])
def test_an_agent_that_cannot_be_stopped_is_judged_by_what_the_guest_promised(
    on_qemu: Subject, agent: ScriptedAgent, status: int, error: type[Exception]
) -> None:
    agent.exit_status = status
    with pytest.raises(error, match="systemctl stop"), on_qemu.services.heartbeat.disabled():
        raise AssertionError("the block was entered")


def test_commands_are_a_service_of_qemu_s_agent_alone(
    on_qemu: Subject, on_hyperv: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = CommandResult(("true",), 0, b"", b"")
    monkeypatch.setattr(on_qemu.guest, "agent", Mock(run=Mock(return_value=ran)))
    assert on_qemu.services.exec.execute(on_qemu.guest.os.programs.succeeding()) is ran
    with pytest.raises(NotApplicable, match="no service that runs commands"):
        _ = on_hyperv.services.exec


def test_the_host_switches_one_service_and_no_other(on_hyperv: Subject, host: HostModel) -> None:
    with on_hyperv.services.shutdown.disabled():
        assert on_hyperv.services.heartbeat.state() is HeartbeatState.OK
