"""What goes wrong between here and a Hyper-V host, over real HTTPS to a scripted one."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import png
import pytest

from harness.errors import HypervisorError, HypervisorUnreachableError
from harness.events import EventKind
from harness.hypervisors.definitions import DiskDefinition, DiskDevice, NicDefinition
from harness.hypervisors.facets.console import CONSOLE
from harness.hypervisors.facets.display import DISPLAY
from harness.hypervisors.hyperv import remoting
from harness.hypervisors.hyperv.address import PASSWORD as VARIABLE
from harness.hypervisors.hyperv.address import parse_address
from harness.hypervisors.hyperv.connection import HypervHypervisor
from harness.hypervisors.hyperv.remoting import Session
from harness.waiting import Deadline
from tests.fakes.hyperv_host.host import HypervHost, hyperv_host
from tests.fakes.hyperv_host.model import GuestModel, HostModel
from tests.fakes.powershell_remoting.certificates import self_signed
from tests.fakes.powershell_remoting.envelope import WsmanError
from tests.fakes.powershell_remoting.faults import Cut, Hold, Moment
from tests.fakes.powershell_remoting.server import PASSWORD, Server, serving
from tests.machines import a_machine


@dataclass
class Lab:
    """A scripted host, and the way to it."""

    host: HostModel
    server: Server
    uri: str


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setenv(VARIABLE, PASSWORD)
    with hyperv_host(tmp_path) as (host, server, uri):
        yield Lab(host, server, uri)


@pytest.fixture
def hypervisor(lab: Lab) -> Iterator[HypervHypervisor]:
    hypervisor = HypervHypervisor(lab.uri)
    yield hypervisor
    hypervisor.close()


def unreachable(uri: str) -> HypervisorUnreachableError:
    with pytest.raises(HypervisorUnreachableError) as caught:
        HypervHypervisor(uri)
    assert caught.value.exit_code == 3
    assert caught.value.remedy
    assert PASSWORD not in str(caught.value)
    return caught.value


def test_a_wrong_password_is_refused(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "wrong")
    error = unreachable(lab.uri)
    assert "127.0.0.1 refuses the login of guestcert by basic" in error.sentence
    assert "wrong" not in error.sentence


def test_ntlm_lets_in_who_knows_the_password(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = lab.uri.replace("auth=basic", "auth=ntlm")
    HypervHypervisor(uri).close()
    monkeypatch.setenv(VARIABLE, "wrong")
    assert "refuses the login of guestcert by ntlm" in unreachable(uri).sentence


def test_a_users_certificate_lets_them_in_without_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    folders = [tmp_path / name for name in ("host", "mine", "another's")]
    for folder in folders:
        folder.mkdir()
    mine, other = (self_signed(folder) for folder in folders[1:])
    with serving(HypervHost(HostModel()), folders[0], client=mine) as server:
        address = f"hyperv://127.0.0.1:{server.port}/?ca={server.certificate.path}"
        HypervHypervisor(f"{address}&certificate={mine.path}&key={mine.key}").close()
        with pytest.raises(HypervisorUnreachableError):
            HypervHypervisor(f"{address}&certificate={other.path}&key={other.key}")


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(lab: Lab) -> None:
    error = unreachable(lab.uri.partition("&ca=")[0])
    assert "certificate of 127.0.0.1 is not trusted" in error.sentence
    assert "?ca=FILE" in str(error.remedy)


def test_a_certificate_of_another_host_is_not_trusted(lab: Lab, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    ca = self_signed(other).path
    error = unreachable(lab.uri.partition("&ca=")[0] + f"&ca={ca}")
    assert "certificate of 127.0.0.1" in error.sentence


def test_a_port_where_nobody_listens(lab: Lab) -> None:
    error = unreachable(lab.uri.replace(f":{lab.server.port}", ":9"))
    assert "the connection to 127.0.0.1:9 failed" in error.sentence


def test_a_host_that_accepts_and_says_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remoting, "POLL_SECONDS", 1)
    lab.server.faults.order(Hold(), Moment.CREATE)
    assert "did not answer in time" in unreachable(lab.uri).sentence


def test_winrm_that_is_in_trouble_says_so(lab: Lab) -> None:
    lab.server.faults.order(WsmanError(0x80338012, "the quota is used up"), Moment.CREATE)
    sentence = unreachable(lab.uri).sentence
    assert "WinRM of 127.0.0.1 answered with an error: " in sentence
    assert "the quota is used up" in sentence


@pytest.mark.parametrize("moment", [Moment.COMMAND, Moment.RUN, Moment.REPLY])
def test_a_cut_in_the_middle_of_a_call_is_told_and_the_next_call_connects_anew(
    lab: Lab, hypervisor: HypervHypervisor, moment: Moment
) -> None:
    lab.server.faults.order(Cut(), moment)
    with pytest.raises(HypervisorUnreachableError, match=r"addresses: .*or was cut: Remote end"):
        hypervisor.taken_subnets()
    assert "192.0.2.0/24" in hypervisor.taken_subnets()


def test_a_runspace_that_the_host_had_ended_is_made_anew(
    lab: Lab, hypervisor: HypervHypervisor
) -> None:
    lab.server.faults.order(WsmanError(0x8033805B, "no such shell"), Moment.COMMAND)
    assert "192.0.2.0/24" in hypervisor.taken_subnets()
    # But not if the script may have started: it would run twice.
    lab.server.faults.order(WsmanError(0x8033805B, "no such shell"), Moment.RECEIVE)
    with pytest.raises(HypervisorUnreachableError, match="no such shell"):
        hypervisor.taken_subnets()


def test_a_script_that_does_not_end_is_given_up(lab: Lab) -> None:
    session = Session(parse_address(lab.uri))
    hold = Hold()
    lab.server.faults.order(hold, Moment.RUN)
    with pytest.raises(HypervisorError, match=r"waited 1 s for 127\.0\.0\.1 to end the script"):
        session("Get-HostState", "asking", 1.0)
    hold.release()
    assert session("Get-HostState", "asking")["version"] == 1
    session.close()


def test_a_host_without_memory_does_not_start_a_machine(
    lab: Lab, hypervisor: HypervHypervisor
) -> None:
    machine = hypervisor.define(a_machine())
    lab.host.memory_mib = 32
    with pytest.raises(
        HypervisorError, match=r"starting guestcert-run-guest.*0x8007000E"
    ) as caught:
        machine.start()
    assert "less memory" in str(caught.value.remedy)


def test_a_machine_that_vanished_is_told_and_can_still_be_removed(
    lab: Lab, hypervisor: HypervHypervisor
) -> None:
    machine = hypervisor.define(a_machine())
    machine.start()
    since = machine.events.mark()
    lab.host.vanish(machine.name)
    with pytest.raises(HypervisorError, match="no longer exists"):
        machine.state()
    with pytest.raises(HypervisorError, match="unable to find a virtual machine") as caught:
        machine.pause()
    assert "Get-VM" in str(caught.value.remedy)
    event = machine.events.wait(
        lambda event: event.kind is EventKind.STOPPED,
        awaited="its end",
        since=since,
        deadline=Deadline(20),
    )
    assert event.detail == "destroyed"
    machine.power_off()
    machine.remove()


def test_a_user_without_rights_is_told_which_group_has_them(
    lab: Lab, hypervisor: HypervHypervisor
) -> None:
    lab.host.administrator = False
    with pytest.raises(HypervisorError, match=r"required permission.*AccessDenied") as caught:
        hypervisor.define(a_machine())
    assert "Hyper-V Administrators" in str(caught.value.remedy)


def test_what_fails_half_made_is_taken_away(lab: Lab, hypervisor: HypervHypervisor) -> None:
    nic = NicDefinition("52:54:00:00:00:01", "guestcert-no-such")
    with pytest.raises(HypervisorError, match="unable to find a virtual switch"):
        hypervisor.define(a_machine(nics=(nic,)))
    assert lab.host.machines == {}


@pytest.fixture
def medium(tmp_path: Path) -> DiskDefinition:
    path = tmp_path / "medium.iso"
    path.write_bytes(bytes(range(1, 256)) * 4000)
    return DiskDefinition(path, "medium", device=DiskDevice.CDROM, format="raw")


def sent(host: HostModel) -> list[bytes]:
    return [bytes(content) for path, content in host.files.items() if path.endswith(".iso")]


def test_a_medium_is_brought_once(
    lab: Lab, hypervisor: HypervHypervisor, medium: DiskDefinition
) -> None:
    hypervisor.define(a_machine(disks=(medium,)))
    free = lab.host.free_bytes
    hypervisor.define(a_machine(disks=(medium,)))
    assert sent(lab.host) == [medium.path.read_bytes()]
    assert lab.host.free_bytes == free


def test_a_transfer_goes_on_where_it_was_cut(
    lab: Lab, hypervisor: HypervHypervisor, medium: DiskDefinition
) -> None:
    hypervisor.host_facts()
    # After the folder and the looks for the target and its part, two parts arrive; the third's
    # answer does not.
    lab.server.faults.order(Cut(), Moment.REPLY, after=5)
    hypervisor.define(a_machine(disks=(medium,)))
    assert sent(lab.host) == [medium.path.read_bytes()]
    used = 500 * 1024**3 - lab.host.free_bytes
    assert used < 1.3 * medium.path.stat().st_size, "what had arrived was not sent again"


def test_a_file_that_arrives_changed_is_not_used(
    lab: Lab, hypervisor: HypervHypervisor, medium: DiskDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.hypervisors.hyperv.transfer.file_digest", lambda _: "0" * 64)
    with pytest.raises(HypervisorError, match=r"arrived with the digest"):
        hypervisor.define(a_machine(disks=(medium,)))
    assert sent(lab.host) == []


def test_a_full_drive_is_told_with_its_remedy(
    lab: Lab, hypervisor: HypervHypervisor, medium: DiskDefinition
) -> None:
    lab.host.free_bytes = 1000
    with pytest.raises(HypervisorError, match=r"not enough space.*0x80070070") as caught:
        hypervisor.define(a_machine(disks=(medium,)))
    assert "free some space on the host" in str(caught.value.remedy)


def test_the_console_carries_what_is_typed_and_said(lab: Lab, hypervisor: HypervHypervisor) -> None:
    machine = hypervisor.define(a_machine())
    with pytest.raises(HypervisorError, match="opening the console"):
        machine.facet(CONSOLE).open()
    machine.start()
    lab.host.machines[machine.name].guest = GuestModel(respond=lambda typed: b"heard " + typed)
    with machine.facet(CONSOLE).open() as console:
        console.settimeout(20)
        console.sendall(b"\x00\xffhello")
        heard = b""
        while b"hello" not in heard:
            heard += console.recv(4096)
        assert heard == b"heard \x00\xffhello"
        machine.power_off()
        assert console.recv(4096) == b""


def test_a_screenshot_has_the_displays_own_size(lab: Lab, hypervisor: HypervHypervisor) -> None:
    machine = hypervisor.define(a_machine())
    with pytest.raises(HypervisorError, match="is Off, and not running"):
        machine.facet(DISPLAY).screenshot()
    machine.start()
    width, height, _, _ = png.Reader(io.BytesIO(machine.facet(DISPLAY).screenshot())).read()
    assert (width, height) == (640, 480)


def test_a_machines_settings_and_log_are_evidence(lab: Lab, hypervisor: HypervHypervisor) -> None:
    machine = hypervisor.define(a_machine())
    machine.start()
    machine.power_off()
    assert json.loads(machine.description())["generation"] == 1
    assert machine.hypervisor_log().splitlines() == ["18500", "18502"]
