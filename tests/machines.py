"""Makes machine and network definitions that a test adjusts in a few fields."""

from __future__ import annotations

import dataclasses

from harness.hypervisors.definitions import Accelerator, MachineDefinition, NetworkDefinition
from harness.lab.ownership import own
from harness.profiles.hardware import Firmware


def a_machine(**changes: object) -> MachineDefinition:
    """A small machine with no disk and no interface, of this process."""
    plain = MachineDefinition(
        name="guestcert-run-guest",
        uuid="11111111-2222-4333-8444-555555555555",
        memory_mib=64,
        vcpus=1,
        firmware=Firmware.BIOS,
        machine_type="q35",
        accelerator=Accelerator.TCG,
        owner=own("run"),
    )
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


def a_network(**changes: object) -> NetworkDefinition:
    """A network that leads nowhere, of this process."""
    plain = NetworkDefinition(
        name="guestcert-run-a",
        bridge="gcb1",
        gateway="10.217.0.1",
        prefix=24,
        dhcp_start="10.217.0.16",
        dhcp_end="10.217.0.240",
        gateway_v6="fd00::1",
        prefix_v6=64,
        host_name="host.guestcert.test",
        domain="guestcert.test",
        owner=own("run"),
    )
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]
