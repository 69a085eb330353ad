"""PowerShell Direct into Windows guests, on a scripted Hyper-V host over real HTTPS."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.channels.base import CommandNotStartedError, CommandTimeoutError
from harness.channels.direct import DirectChannel
from harness.errors import ChannelError, HypervisorUnreachableError
from harness.guests.guest import Answer, Credentials, Guest
from harness.hypervisors.hyperv import remoting
from harness.hypervisors.hyperv.address import PASSWORD as VARIABLE
from harness.hypervisors.hyperv.connection import HypervHypervisor
from harness.hypervisors.hyperv.machine import HypervMachine
from harness.profiles.loader import load_profiles
from harness.profiles.selection import select
from harness.time_accounting import TimeLedger
from tests.fakes.hyperv_host.host import hyperv_host
from tests.fakes.hyperv_host.model import GuestModel, HostModel, RunModel
from tests.fakes.powershell_remoting.envelope import WsmanError
from tests.fakes.powershell_remoting.faults import Moment
from tests.fakes.powershell_remoting.server import PASSWORD, Server
from tests.machines import a_machine

USER, SECRET = "guestcert", "Grün & \"quoted\" 'too' $(x) 7"


class Lab:
    """A running machine with a guest that lets one user in; `ran` has what it was asked to run."""

    def __init__(self, machine: HypervMachine, host: HostModel, server: Server) -> None:
        self.machine = machine
        self.host = host
        self.server = server
        self.ran: list[RunModel] = []
        self.reported: dict[str, object] = {}
        self.guest = GuestModel(users={USER: SECRET}, runs=self.run)
        host.machines[machine.name].guest = self.guest

    def run(self, asked: RunModel) -> dict[str, object]:
        self.ran.append(asked)
        return self.reported

    def whole(self, folder: Path, profile: str, password: str = SECRET) -> Guest:
        """The guest as cases have it."""
        (chosen,) = select(load_profiles(), [profile])
        credentials = Credentials(USER, password)
        return Guest(
            self.machine, chosen, credentials, folder, TimeLedger(), lambda _: self.machine
        )

    def channel(self, folder: Path, password: str = SECRET) -> DirectChannel:
        found = self.whole(folder, "windows-server-2022", password).direct
        assert found is not None
        return found


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setenv(VARIABLE, PASSWORD)
    with hyperv_host(tmp_path) as (host, server, uri):
        hypervisor = HypervHypervisor(uri)
        machine = hypervisor.define(a_machine())
        machine.start()
        yield Lab(machine, host, server)
        hypervisor.close()


def test_a_program_gets_all_that_it_is_given_and_tells_all_that_it_says(
    lab: Lab, tmp_path: Path
) -> None:
    arguments = ["tool.exe", "", "a b", 'say "x"', "C:\\Program Files\\", "größer"]
    answer = bytes(range(256)) * 4096
    lab.reported = {
        "status": -1073741819,
        "output": base64.b64encode(answer).decode(),
        "errors": base64.b64encode("größer".encode()).decode(),
    }
    result = lab.channel(tmp_path).run(
        arguments, stdin=b"\0in\xff", environment={"A": "b=c", "B": "größer"}, timeout=30
    )
    assert result.arguments == tuple(arguments)
    assert (result.exit_status, result.output) == (-1073741819, answer)
    assert result.error_text == "größer"
    (ran,) = lab.ran
    assert (ran.program, ran.stdin) == ("tool.exe", b"\0in\xff")
    assert ran.line == subprocess.list2cmdline(arguments[1:])
    assert ran.variables == ("A=b=c", "B=größer")


def test_a_program_needs_nothing_but_its_name(lab: Lab, tmp_path: Path) -> None:
    assert lab.channel(tmp_path).run(["tool.exe"], timeout=30).text == ""
    assert lab.ran == [RunModel("tool.exe", "", b"", ())]


def test_a_program_that_does_not_start_or_end_is_told_apart(lab: Lab, tmp_path: Path) -> None:
    channel = lab.channel(tmp_path)
    lab.reported = {"end": "not started", "message": "The system cannot find the file specified"}
    with pytest.raises(CommandNotStartedError, match="cannot find the file"):
        channel.run(["missing.exe"], timeout=30)
    lab.reported = {"end": "killed", "status": 1}
    with pytest.raises(CommandTimeoutError, match=r"waited 30 s for `slow.exe`"):
        channel.run(["slow.exe"], timeout=30)


@pytest.mark.parametrize(
    "reported",
    [{"status": None}, {"status": "0"}, {"end": "?"}, {"output": "no base64!"}, {"errors": 7}],
)
def test_an_answer_that_no_guest_gives_is_an_error(
    lab: Lab, tmp_path: Path, reported: dict[str, object]
) -> None:
    lab.reported = reported
    with pytest.raises(ChannelError, match="the guest"):
        lab.channel(tmp_path).run(["tool.exe"], timeout=30)


def test_a_wrong_password_lets_nobody_in_and_is_told_nowhere(lab: Lab, tmp_path: Path) -> None:
    wrong = "Wrong-and-secret-8"
    channel = lab.channel(tmp_path, wrong)
    with pytest.raises(ChannelError, match="credential is invalid") as caught:
        channel.run(["tool.exe"], timeout=30)
    assert "user and password" in str(caught.value.remedy)
    assert wrong not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
    assert not channel.answers(timeout=2)
    assert lab.ran == []


def test_the_password_is_no_part_of_a_script_or_of_what_is_shown(lab: Lab, tmp_path: Path) -> None:
    guest = lab.whole(tmp_path, "windows-server-2022")
    assert SECRET not in repr(guest.credentials)
    assert SECRET not in repr(guest.direct)
    assert "$Credential" in remoting.script_text("Invoke-InGuest")
    assert "pscredential" in remoting.script_text("Invoke-InGuest")


def test_a_guest_that_has_no_powershell_direct_or_is_off_answers_nothing(
    lab: Lab, tmp_path: Path
) -> None:
    channel = lab.channel(tmp_path)
    assert channel.answers(timeout=2)
    lab.guest.runs = None
    with pytest.raises(ChannelError, match="remote session might have ended"):
        channel.run(["tool.exe"], timeout=30)
    lab.machine.power_off()
    with pytest.raises(ChannelError, match="not in running state"):
        channel.run(["tool.exe"], timeout=30)
    assert not channel.answers(timeout=2)


def test_a_host_that_is_lost_is_not_the_guests_silence(lab: Lab, tmp_path: Path) -> None:
    for _ in range(50):  # the watch for events has its share of them
        lab.server.faults.order(WsmanError(0x80338012, "the host restarts"), Moment.COMMAND)
    with pytest.raises(HypervisorUnreachableError, match="the host restarts"):
        lab.channel(tmp_path).run(["tool.exe"], timeout=30)


def test_windows_on_hyper_v_is_asked_by_its_host(lab: Lab, tmp_path: Path) -> None:
    guest = lab.whole(tmp_path, "windows-server-2022")
    guest.answers_by = Answer.DIRECT
    assert guest.run(["tool.exe", "x"]).exit_status == 0
    assert guest.serves(timeout=2)
    assert [ran.program for ran in lab.ran] == ["tool.exe", "cmd.exe"]
    guest.answers_by = Answer.AGENT
    assert not guest.serves(timeout=2)


@pytest.mark.parametrize("profile", ["debian-12", "windows-7"])
def test_other_systems_have_no_such_channel(lab: Lab, tmp_path: Path, profile: str) -> None:
    assert lab.whole(tmp_path, profile).direct is None
