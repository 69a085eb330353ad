"""Which operating system a guest is asked as, and which cases that rules out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from harness.channels.base import CommandTimeoutError
from harness.errors import ControlFailedError, GuestCrashed, GuestTimeout, NotApplicable
from harness.events import EventLog
from harness.guests.guest import Credentials, Guest
from harness.guests.linux.system import LinuxOs
from harness.guests.windows.system import WindowsOs
from harness.hypervisors.facets.agent import AGENT
from harness.plugin.applicability import require_system
from harness.profiles.loader import load_profiles
from harness.profiles.model import Profile, System
from harness.time_accounting import TimeLedger
from harness.waiting import Deadline, JumpingClock, NotYet

PROFILES = {profile.id: profile for profile in load_profiles()}


def guest_of(profile: Profile, agent: Any = None) -> Guest:
    """A guest of this profile on no real machine; `agent` answers its agent's commands."""

    def command(text: str, *, timeout: float) -> str:
        return json.dumps({"return": agent(json.loads(text))})

    machine = Mock(
        events=EventLog(),
        seconds_starved=lambda: 0.0,
        facets=frozenset({AGENT}),
        facet={AGENT: Mock(command=command)}.__getitem__,
    )
    machine.definition.accelerator.time_scale = 1.0
    secret = Credentials("guestcert", "secret")
    return Guest(machine, profile, secret, Path("/nowhere"), TimeLedger(), Mock())


@pytest.mark.parametrize(
    ("guest", "system"),
    [
        ("debian-12", System.LINUX),
        ("rhel-9.0", System.LINUX),
        ("generic-linux", System.LINUX),
        ("freebsd-14.0", System.FREEBSD),
        ("windows-server-2022", System.WINDOWS),
        ("windows-7", System.WINDOWS),
        ("generic-windows", System.WINDOWS),
    ],
)
def test_a_profile_says_what_its_guest_is_asked_as(guest: str, system: System) -> None:
    profile = PROFILES[guest]
    assert profile.system is system
    expected = WindowsOs if system is System.WINDOWS else LinuxOs
    assert isinstance(guest_of(profile).os, expected)


def test_a_guest_that_has_a_windows_setup_is_windows_and_no_other() -> None:
    systems = {guest: profile.system is System.WINDOWS for guest, profile in PROFILES.items()}
    set_up = {guest for guest, profile in PROFILES.items() if profile.windows}
    assert len(set_up) > 20, "the control: they are there"
    assert {guest for guest, windows in systems.items() if windows} - set_up == {"generic-windows"}
    assert set_up <= {guest for guest, windows in systems.items() if windows}


def test_a_start_up_without_an_end_is_the_guest_s_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    guest, clock = guest_of(PROFILES["debian-12"]), JumpingClock()

    def asked() -> str:
        clock.sleep(480)
        raise CommandTimeoutError("waited 480 s for systemctl to end")

    monkeypatch.setattr(guest, "budget", lambda seconds: Deadline(seconds, clock))
    monkeypatch.setattr(guest.os.lifecycle, "settled", asked, raising=False)
    with pytest.raises(GuestTimeout, match=r"finish its start-up, last saw .* systemctl to end"):
        guest.await_settled()


def test_what_linux_alone_has_rules_other_guests_out() -> None:
    linux = guest_of(PROFILES["debian-12"])
    assert linux.linux is linux.os
    for other in ("windows-11", "freebsd-14.0"):
        with pytest.raises(NotApplicable, match=f"{other} is not Linux"):
            _ = guest_of(PROFILES[other]).linux


def test_a_case_names_the_systems_that_it_is_about() -> None:
    windows = PROFILES["windows-11"]
    with pytest.raises(
        NotApplicable, match=r"^windows-11 is not Linux or FreeBSD: no shell there$"
    ):
        require_system(windows, (System.LINUX, System.FREEBSD), "no shell there")
    require_system(windows, (System.WINDOWS,), "it is")


@pytest.mark.parametrize(
    ("guest", "killer"), [("windows-11", "taskkill.exe"), ("debian-12", "/bin/sh")]
)
def test_a_command_that_takes_too_long_is_killed_as_its_system_does(
    guest: str, killer: str
) -> None:
    started: list[list[str]] = []

    def agent(request: dict[str, Any]) -> object:
        if request["execute"] == "guest-exec":
            arguments = request["arguments"]
            started.append([arguments["path"], *arguments["arg"]])
            return {"pid": len(started)}
        return {"exited": len(started) > 1, "exitcode": 0}

    with pytest.raises(CommandTimeoutError):
        guest_of(PROFILES[guest], agent).run(["forever"], seconds=0.05)

    assert [program[0] for program in started] == ["forever", killer]
    assert started[1][-1] == "1"


def test_a_wait_returns_the_first_answer_of_its_probe() -> None:
    answers: list[bool | str] = [False, False, "the answer"]
    guest = guest_of(PROFILES["debian-12"])
    assert guest.wait_for(lambda: answers.pop(0), "it", seconds=20) == "the answer"
    assert guest.wait_for(lambda: None, "it", seconds=20) is None, "None is an answer"


def test_a_wait_ends_with_what_it_saw_or_with_the_given_error() -> None:
    guest = guest_of(PROFILES["debian-12"])

    def probe() -> None:
        raise NotYet("a shadow")

    with pytest.raises(GuestTimeout, match="waited 0 s for its answer, last saw a shadow"):
        guest.wait_for(probe, "its answer", seconds=0)
    with pytest.raises(ControlFailedError, match="last saw a shadow"):
        guest.wait_for(probe, "its answer", seconds=0, error=ControlFailedError)


def test_a_wait_notices_a_crash_that_the_case_does_not_expect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guest = guest_of(PROFILES["debian-12"])
    monkeypatch.setattr(guest.crash_watch, "found", lambda: "Kernel panic")
    with pytest.raises(GuestCrashed, match="Kernel panic"):
        guest.wait_for(lambda: True, "it", seconds=1)
    guest.crash_expected = True
    assert guest.wait_for(lambda: True, "it", seconds=1)
