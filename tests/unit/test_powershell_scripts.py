"""Every script for Hyper-V hosts holds to the documentation of the cmdlets that it calls."""

from __future__ import annotations

import ast
import inspect
import json
from pathlib import Path

import pytest

from harness.hypervisors import hyperv
from tests.powershell.checking import problems
from tests.powershell.cmdlets import HYPERV, SCRIPTS, VERSIONS, cmdlets
from tests.powershell.pitfalls import pitfalls
from tests.powershell.syntax import Script

FILES = sorted(SCRIPTS.glob("*.ps1"))


def parsed(name: str, *changes: tuple[str, str]) -> Script:
    """A script, with defects planted into it."""
    text = (SCRIPTS / f"{name}.ps1").read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands once in {name}"
        text = text.replace(old, new)
    return Script(text)


def test_there_are_scripts_and_calls_to_look_at() -> None:
    # The control: what finds nothing holds of everything.
    assert len(FILES) >= 40
    called = {c.name for f in FILES for c in Script(f.read_text(encoding="utf-8")).calls}
    assert {"New-VM", "Set-VMFirmware", "Copy-VMFile", "Checkpoint-VM"} <= called


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_call_is_as_documented(file: Path, version: str) -> None:
    assert problems(Script(file.read_text(encoding="utf-8")), version) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_script_is_strict_and_answers_with_a_version(file: Path) -> None:
    script = Script(file.read_text(encoding="utf-8"))
    text = file.read_text(encoding="utf-8")
    # The last: a cmdlet that asks whether it shall has nobody to ask.
    strict = ("Set-StrictMode -Version Latest", "$ErrorActionPreference = 'Stop'")
    assert "\n".join((*strict, "$ConfirmPreference = 'None'\n")) in text
    assert script.calls[-1].name == "ConvertTo-Json"
    assert "version = 1" in text.rpartition("\n@{")[2]
    assert text.startswith("# "), "its first line says what it is for"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_script_falls_into_what_is_known_of_windows_powershell(file: Path) -> None:
    assert pitfalls(Script(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "reported"),
    [
        ("Get-Folders", "[System.IO.File]::ReadAllText($file)", "Get-Content -Raw $file", "text"),
        ("Get-Machines", ", [System.StringComparison]::Ordinal", "", "the host's language"),
        ("New-Checkpoint", "ContainsKey('CheckpointType')", "Count", "no -CheckpointType"),
        ("New-Machine", "ContainsKey('HwThreadCountPerCore')", "Count", "no -HwThreadCountPerCore"),
        ("Remove-Network", "$_.ZoneType -eq 'Primary' -and ", "", "have no ZoneFile"),
        ("Stop-Machine", "Get-VM |", "Get-VM && Get-VM |", "chains no pipelines"),
        ("Stop-Machine", ", 'OffCritical'", "", "off without its disks"),
        ("Remove-Machine", "catch {", "finally {", "may hold the files"),
        ("Remove-Folder", "catch {", "finally {", "may hold the files"),
        ("Set-Identity", "$job.Get()", "", "not waited for"),
    ],
)
def test_a_planted_pitfall_is_seen(name: str, old: str, new: str, reported: str) -> None:
    (found,) = pitfalls(parsed(name, (old, new)))
    assert reported in found


def test_each_network_has_names_of_its_own_and_no_others() -> None:
    policies = [
        {name: value.text for name, value in call.parameters.items() if value}
        for call in parsed("New-Network").calls
        if call.name == "Add-DnsServerQueryResolutionPolicy"
    ]
    assert [policy["Action"] for policy in policies] == ["ALLOW", "DENY"]
    assert policies[0]["ZoneScope"] == '"$Name,1"'
    assert {policy["ServerInterfaceIP"] for policy in policies} == {"$queried"}
    removed = [call.name for call in parsed("Remove-Network").calls]
    assert removed.count("Remove-DnsServerQueryResolutionPolicy") == len(policies)


def test_an_address_is_settled_before_servers_are_bound_to_it() -> None:
    called = [call.name for call in parsed("New-Network").calls]
    waited = called.index("Start-Sleep")
    assert called.index("New-NetIPAddress") < waited < called.index("Set-DhcpServerv4Binding")


def test_both_limits_of_memory_are_set_at_once() -> None:
    calls = [set(call.parameters) for call in parsed("Set-Memory").calls]
    assert {"VM", "MinimumBytes", "MaximumBytes"} in calls
    assert {"VM", "MinimumBytes"} not in calls


@pytest.mark.parametrize(
    "newer", ["$a = $b ?? 1", "$a = $b ? 1 : 2", "$a?.b", "$a?[0]"], ids=["or", "if", "dot", "at"]
)
def test_what_only_newer_powershells_understand_is_not_understood(newer: str) -> None:
    assert Script(newer).errors


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_text_ever_becomes_a_command(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    for way in ("Invoke-Expression", "[scriptblock]::Create", "ExpandString", ".Invoke("):
        assert way not in text
    assert not [line for line in text.splitlines() if line.lstrip().startswith(("& ", ". "))]


@pytest.mark.parametrize(
    ("name", "old", "new", "reported"),
    [
        ("New-Machine", "New-VM -Name", "New-VMM -Name", "New-VMM: unknown cmdlet"),
        ("Copy-ToGuest", "-FileSource Host", "-FileSource Guest", "-FileSource can't be guest"),
        ("Copy-ToGuest", " -FileSource Host", "", "the mandatory -FileSource is missing"),
        ("New-Machine", "-MemoryStartupBytes", "-MemoryStartupByte", "is not a parameter"),
        ("Send-Nmi", "-InjectNonMaskableInterrupt", "-InjectNmi", "-InjectNmi is not a parameter"),
        ("New-Checkpoint", "'ProductionOnly'", "'ProductionOnlyy'", "-CheckpointType can't be"),
        ("Set-Bios", "'LegacyNetworkAdapter'", "'PXE'", "-StartupOrder can't be PXE"),
        ("Invoke-InGuest", "-Credential $Cred", "-Password $Cred", "-Password is not a parameter"),
        (
            "Set-NicVlan",
            "-AllowedVlanIdList",
            "-AllowedVlanIds",
            "-AllowedVlanIds is not a parameter",
        ),
        ("Set-NicAcl", "'Inbound', 'Outbound'", "'In', 'Outbound'", "-Direction can't be in"),
        ("Stop-Machine", "Stop-VM -TurnOff", "Stop-VM -TurnOff Yes", "has no parameter's name"),
        ("Stop-Machine", "Get-VM |", "Get-VMSwitch |", "the mandatory -"),
        ("Enable-Tpm", "Enable-VMTPM -VMName $Name", "Enable-VMTPM", "the mandatory -"),
        (
            "Enable-Tpm",
            "-NewLocalKeyProtector",
            "-NewLocalKeyProtector -VM $Name",
            "no parameter set",
        ),
        (
            "Set-Firmware",
            "-EnableSecureBoot Off",
            "-EnableSecureBoot",
            "-EnableSecureBoot has no value",
        ),
        (
            "New-Machine",
            "-DynamicMemoryEnabled $false",
            "-DynamicMemoryEnabled Off",
            "takes $true or",
        ),
        ("New-Machine", "-Number 1 -Path", "-Number one -Path", "takes a number"),
        ("New-Network", "Name = '@'; ", "", "the mandatory -Name is missing"),
        (
            "New-Network",
            "-SwitchType Internal",
            "-SwitchType Isolated",
            "-SwitchType can't be Isolated",
        ),
        (
            "Get-Pairs",
            "ConvertFrom-Item -Items $guest",
            "ConvertFrom-Item -Item $guest",
            "not a parameter",
        ),
        ("Get-Machine", "$vm = Get-VM -Name $Name", "$vm = Get-VM -Name $Name )", "not understood"),
    ],
)
def test_a_planted_mistake_is_caught(name: str, old: str, new: str, reported: str) -> None:
    for version in VERSIONS:
        found = problems(parsed(name, (old, new)), version)
        assert any(reported.lower() in problem.lower() for problem in found), found


def test_a_cmdlet_that_one_version_lacks_is_caught_for_that_version() -> None:
    script = Script("Get-VMHost | ConvertTo-Json")
    (entry,) = json.loads(HYPERV.read_text(encoding="utf-8"))["cmdlets"]["Get-VMHost"]
    assert entry["versions"] == list(VERSIONS)
    known = cmdlets("2016")
    removed = known.pop("get-vmhost")
    try:
        assert problems(script, "2016") == ["line 1: Get-VMHost: unknown cmdlet"]
        assert problems(script, "2025") == []
    finally:
        known["get-vmhost"] = removed


def test_every_script_is_run_by_somebody_and_every_script_that_is_run_exists() -> None:
    folder = Path(inspect.getfile(hyperv)).parent
    named = {
        node.value
        for file in folder.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert {file.stem for file in FILES} <= named


def test_the_documentation_keeps_its_source() -> None:
    assert "CC BY 4.0" in json.loads(HYPERV.read_text(encoding="utf-8"))["source"]
