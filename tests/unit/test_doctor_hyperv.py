"""`guestcert doctor` on a Hyper-V host: each thing that can be wrong, with its remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.cli.doctor_checks import Finding
from harness.cli.doctor_hyperv import examine_host
from harness.errors import HarnessError
from harness.hypervisors.hyperv.address import PASSWORD as VARIABLE
from tests.fakes.hyperv_host.host import hyperv_host
from tests.fakes.hyperv_host.model import HostModel
from tests.fakes.powershell_remoting.server import PASSWORD

Examine = Callable[[HostModel], list[Finding]]


@pytest.fixture
def examine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Examine:
    monkeypatch.setenv(VARIABLE, PASSWORD)

    def look(model: HostModel) -> list[Finding]:
        with hyperv_host(tmp_path, model) as (_, _, uri):
            return list(examine_host(uri))

    return look


def bad(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if not finding.good]


def test_a_host_that_lacks_only_its_hypervisor(examine: Examine) -> None:
    findings = examine(HostModel())
    (wrong,) = bad(findings)
    assert "the hypervisor does not run" in wrong.what
    assert "hypervisorlaunchtype" in wrong.remedy
    reported = " | ".join(finding.what for finding in findings)
    assert "PowerShell 5.1" in reported
    assert "module 2.0.0.0" in reported
    assert "500 GiB free" in reported
    assert "Default Switch (Internal)" in reported


@pytest.mark.parametrize(
    ("model", "what", "remedy", "essential"),
    [
        (
            HostModel(module=None, service=None),
            "module missing",
            "Install-WindowsFeature Hyper-V",
            True,
        ),
        (HostModel(service="Stopped"), "vmms", "Start-Service vmms", True),
        (HostModel(administrator=False), "may not manage Hyper-V", "Add-LocalGroupMember", True),
        (HostModel(build="6.3.9600"), "virtual TPMs: no", "Windows Server 2016", False),
        (HostModel(servers=("DNS",)), "no DHCPServer", "Install-WindowsFeature DHCP", False),
        (HostModel(free_bytes=1024**3), "1 GiB free", "Set-VMHost -VirtualHardDiskPath", True),
    ],
)
def test_what_is_missing_is_told_with_its_remedy(
    examine: Examine, model: HostModel, what: str, remedy: str, essential: bool
) -> None:
    found = [finding for finding in bad(examine(model)) if what in finding.what]
    assert [finding.essential for finding in found] == [essential]
    assert remedy in found[0].remedy


def test_who_may_not_list_services_is_told_all_else(examine: Examine) -> None:
    reported = [finding for finding in examine(HostModel(administrator=False)) if finding.good]
    (service,) = [finding.what for finding in reported if "vmms" in finding.what]
    assert ", who is not an administrator" in service
    assert any("remoting to" in finding.what for finding in reported)


def test_a_host_that_lets_nobody_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "wrong")
    with hyperv_host(tmp_path) as (_, _, uri):
        (finding,) = examine_host(uri)
    assert "refuses the login of guestcert" in finding.what
    assert "password" in finding.remedy


def test_the_command_looks_at_the_host_and_not_at_kvm_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, PASSWORD)
    monkeypatch.setenv("GUESTCERT_HOME", str(tmp_path / "store"))
    with hyperv_host(tmp_path) as (_, _, uri):
        done = CliRunner().invoke(app, ["doctor", "--hypervisor", uri])
    assert "ok    remoting to hyperv://guestcert@127.0.0.1" in done.output
    assert "accelerator" not in done.output
    assert "/dev/kvm" not in done.output
    assert isinstance(done.exception, HarnessError)
    assert PASSWORD not in done.output
