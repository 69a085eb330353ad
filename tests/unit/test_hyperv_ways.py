"""Ways of a Windows host that a driver must heed, as the scripted one models them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.hypervisors.host_services import ServiceName
from harness.hypervisors.hyperv.address import PASSWORD as VARIABLE
from harness.hypervisors.hyperv.connection import HypervHypervisor
from tests.fakes.hyperv_host.host import hyperv_host
from tests.fakes.hyperv_host.model import HostModel
from tests.fakes.powershell_remoting.server import PASSWORD, Server
from tests.machines import a_machine


@dataclass
class Lab:
    """A scripted host, and the driver at it."""

    host: HostModel
    server: Server
    hypervisor: HypervHypervisor


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setenv(VARIABLE, PASSWORD)
    with hyperv_host(tmp_path) as (host, server, uri):
        hypervisor = HypervHypervisor(uri)
        yield Lab(host, server, hypervisor)
        hypervisor.close()


def test_no_script_leaves_its_parameters_to_the_next_one(lab: Lab) -> None:
    # Switch-Service has a parameter $Service of type string, Set-Pair a variable of that name.
    machine = lab.hypervisor.define(a_machine())
    machine.services.switch(ServiceName.FILE_COPY, on=True)
    machine.services.add_pair("key", "value")
    assert lab.server.left == set()
