"""By which channel a guest is ready: one counts that has run a command."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.errors import ChannelError, GuestFailure, GuestTimeout, NotApplicable
from harness.guests.guest import Answer, Credentials, Guest
from harness.hypervisors.definitions import Accelerator
from harness.hypervisors.facets.console import CONSOLE
from harness.integration.agent_policy import require_allowed
from harness.integration.contract import HeartbeatState
from harness.integration.services import services_of
from harness.lab.identity import Identity
from harness.lab.machine_slot import Blueprint, MachineSlot
from harness.lab.ownership import own
from harness.profiles.hardware import Firmware
from harness.time_accounting import TimeLedger
from tests.fakes.console_guest import ConsoleGuest, Wording
from tests.fakes.hypervisor import Agent, FakeHypervisor, FakeMachine, silent_agent, willing_agent
from tests.unit.builders import a_profile

Build = Callable[..., Guest]


def restricted_agent(command: dict[str, object]) -> object:
    """An agent whose policy is that of Red Hat's package: it answers, and runs nothing."""
    if command["execute"] == "guest-info":
        names = {"guest-ping": True, "guest-exec": False, "guest-exec-status": False}
        listed = [{"name": name, "enabled": enabled} for name, enabled in names.items()]
        return {"version": "9.0.0", "supported_commands": listed}
    if command["execute"] == "guest-ping":
        return {}
    raise ChannelError("Command guest-exec has been disabled: the command is not allowed")


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Makes guests with a serial console on which one can log in."""
    base = tmp_path / "base.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", base, "64M"], check=True)
    consoles: list[ConsoleGuest] = []
    places: list[MachineSlot] = []

    def make(agent: Agent, *, wording: Wording | None = None, ready_seconds: int = 30) -> Guest:
        place = MachineSlot(
            blueprint=Blueprint(
                a_profile(budgets={"ready_seconds": ready_seconds, "shutdown_seconds": 1}),
                Firmware.BIOS,
                Accelerator.KVM,
                Credentials("guestcert", "right"),
                own("test"),
            ),
            name="guestcert-test-guest",
            folder=tmp_path / "slot",
            base=lambda: base,
            vcpus=1,
            identity=Identity.GUEST_A,
            network=None,
            hypervisor=FakeHypervisor(agent=agent),
            ledger=TimeLedger(),
            progress=lambda _state, _log: None,
        )
        places.append(place)
        guest = place.create_stopped()
        assert isinstance(guest.machine, FakeMachine)
        console = guest.machine.facet(CONSOLE)
        open_console = console.open

        def with_a_login() -> socket.socket:
            local = open_console()
            assert isinstance(guest.machine, FakeMachine)
            assert guest.machine.guest_end is not None
            consoles.append(ConsoleGuest(guest.machine.guest_end, tmp_path, wording or Wording()))
            return local

        console.open = with_a_login  # type: ignore[method-assign]
        return guest

    yield make
    for console in consoles:
        console.hang_up()
    for place in places:
        place.clear()


def test_a_guest_without_an_agent_is_ready_by_its_console(build: Build) -> None:
    guest = build(silent_agent)
    assert guest.boot() is Answer.CONSOLE
    assert guest.run(["echo", "hello"]).text == "hello"


def test_an_agent_that_runs_commands_is_used(build: Build) -> None:
    guest = build(willing_agent)
    assert guest.boot() is Answer.AGENT
    assert guest.run(["anything"]).text == "running"


def test_an_agent_that_runs_nothing_leaves_the_console_to_answer(build: Build) -> None:
    guest = build(restricted_agent)
    assert guest.boot() is Answer.CONSOLE
    assert guest.run(["echo", "hello"]).text == "hello"
    assert services_of(guest).heartbeat.state() is HeartbeatState.OK


def test_a_policy_that_blocks_programs_is_a_finding(build: Build) -> None:
    guest = build(restricted_agent)
    guest.power_on()
    with pytest.raises(GuestFailure, match="its policy blocks guest-exec, guest-exec-status"):
        services_of(guest).exec.run(["true"])
    require_allowed(guest, "guest-ping")
    guest.profile = a_profile(agent={"policy": "restricted"})
    with pytest.raises(NotApplicable, match="as the profile debian-12 records"):
        services_of(guest).exec.run(["true"])
    guest.profile = a_profile(agent={"policy": "restricted", "open": True})
    with pytest.raises(GuestFailure, match="its policy blocks"):
        services_of(guest).exec.run(["true"])


def test_a_guest_that_was_saved_is_asked_without_a_prompt(build: Build) -> None:
    guest = build(restricted_agent)
    guest.boot()
    guest.log_out()
    assert guest.await_ready(since=None) is Answer.CONSOLE
    assert guest.run(["echo", "hello"]).text == "hello"


def test_a_login_that_is_refused_is_not_ready(build: Build) -> None:
    guest = build(restricted_agent, wording=Wording(password="another"), ready_seconds=2)
    with pytest.raises(GuestTimeout, match="last saw the guest refused the password of guestcert"):
        guest.boot()


def test_a_user_who_is_no_administrator_is_no_channel(build: Build, tmp_path: Path) -> None:
    guest = build(restricted_agent)
    guest.power_on()
    (tmp_path / "sudo").write_text("#!/bin/sh\necho sudo: a password is required >&2; exit 1\n")
    with pytest.raises(
        ChannelError, match=r"cannot run commands as the administrator.* password is"
    ):
        guest.await_ready(since=0)
