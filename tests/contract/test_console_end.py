"""The end of a real machine's console: what it printed last before it powered itself off."""

from __future__ import annotations

from pathlib import Path

from harness.channels.console import Console
from harness.events import EventKind
from harness.hypervisors.definitions import DiskDefinition
from harness.hypervisors.facets.console import CONSOLE
from harness.hypervisors.libvirt.connection import LibvirtHypervisor
from harness.hypervisors.libvirt.logs import console_copy
from harness.lab.ownership import own
from harness.waiting import Deadline
from tests.contract.conftest import QEMU, RUN, assembled
from tests.machines import a_machine

SECTOR = Path(__file__).with_name("farewell_sector.S")


def test_the_last_line_before_power_off_arrives_and_its_copy_goes_with_the_machine(
    folder: Path, tmp_path: Path
) -> None:
    disk = DiskDefinition(assembled(SECTOR, folder), "FAREWELL", format="raw", boot_order=1)
    definition = a_machine(name=f"guestcert-{RUN}-farewell", owner=own(RUN), disks=(disk,))
    hypervisor = LibvirtHypervisor(QEMU)
    copy = console_copy(hypervisor._connection, definition.name)
    machine = hypervisor.define(definition)
    try:
        since = machine.events.mark()
        machine.start(paused=True)
        console = Console(machine.facet(CONSOLE).open(), tmp_path / "console.log")
        machine.resume()
        machine.events.wait(
            lambda event: event.kind is EventKind.STOPPED,
            awaited="the machine to power itself off",
            since=since,
            deadline=Deadline(60),
        )
        assert console.await_end(30), "the console did not end with its machine"
        assert console.since(0).split()[-1] == b"farewell"
        assert b"farewell" in copy.read_bytes()
        console.close()
    finally:
        machine.remove()
        hypervisor.close()
    assert not copy.exists()
