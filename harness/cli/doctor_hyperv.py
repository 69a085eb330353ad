"""Checks of a Hyper-V host, each finding with its remedy."""

from __future__ import annotations

from collections.abc import Iterator

from harness.cli.doctor_checks import NEEDED_GIB, Finding
from harness.errors import GuestcertError
from harness.hypervisors.hyperv.connection import (
    MODULE_REMEDY,
    NETWORK_SERVERS,
    SERVER_2016,
    SERVICE_STATE_HIDDEN,
    HostState,
    HypervHypervisor,
)

GIB = 1024**3
RIGHTS_REMEDY = "on the host: Add-LocalGroupMember -Group 'Hyper-V Administrators' -Member USER"


def examine_host(uri: str) -> Iterator[Finding]:
    """Check everything that a run needs of the host; ends early where the host is unreachable."""
    try:
        hypervisor = HypervHypervisor(uri)
    except GuestcertError as error:
        yield Finding(False, error.sentence, error.remedy or "check the host")
        return
    try:
        state = hypervisor.state
        yield Finding(
            True,
            f"remoting to {hypervisor.uri}: {state.system} {state.build}, "
            f"PowerShell {state.powershell}, as {state.user}",
        )
        yield from _role(state)
        yield from _facts(hypervisor)
    finally:
        hypervisor.close()


def _role(state: HostState) -> Iterator[Finding]:
    yield Finding(
        state.module is not None, f"Hyper-V module {state.module or 'missing'}", MODULE_REMEDY
    )
    yield Finding(
        state.service in ("Running", SERVICE_STATE_HIDDEN),
        f"service vmms (virtual machine management): {_service_state(state)}",
        "on the host: Start-Service vmms" if state.service else MODULE_REMEDY,
    )
    yield Finding(
        state.hypervisor,
        f"the hypervisor {'runs' if state.hypervisor else 'does not run'} under the host's Windows",
        "on the host: bcdedit /set hypervisorlaunchtype auto, VT-x or AMD-V on, and restart it",
    )
    yield Finding(
        state.administrator,
        f"{state.user} may {'' if state.administrator else 'not '}manage Hyper-V",
        RIGHTS_REMEDY.replace("USER", state.user),
    )
    new = state.build_number >= SERVER_2016
    yield Finding(
        new,
        f"Secure Boot for Linux, virtual TPMs: {'yes' if new else 'no'}",
        "use Windows Server 2016 or newer",
        essential=False,
    )
    missing = sorted(NETWORK_SERVERS - set(state.servers))
    yield Finding(
        not missing,
        f"DHCP and DNS for isolated networks: {'no ' + ', '.join(missing) if missing else 'yes'}",
        "on the host: Install-WindowsFeature DHCP, DNS -IncludeManagementTools",
        essential=False,
    )


def _service_state(state: HostState) -> str:
    """The state of the service that manages machines."""
    if state.service == SERVICE_STATE_HIDDEN:
        return f"unknown to {state.user}, who is not an administrator"
    return state.service or "missing"


def _facts(hypervisor: HypervHypervisor) -> Iterator[Finding]:
    if hypervisor.state.module is None:
        return
    try:
        facts = hypervisor.host_facts()
    except GuestcertError as error:
        yield Finding(False, error.sentence, error.remedy or RIGHTS_REMEDY)
        return
    free = facts.free_bytes / GIB
    yield Finding(
        free >= NEEDED_GIB,
        f"folder {facts.folder}: {free:.0f} GiB free",
        f"free up to {NEEDED_GIB} GiB there, or on the host: Set-VMHost -VirtualHardDiskPath PATH",
    )
    yield Finding(
        True,
        f"{facts.processors} processors, {facts.memory_bytes / GIB:.0f} GiB of memory; switches: "
        f"{', '.join(facts.switches) or 'none'} (guests get switches of their own)",
    )
