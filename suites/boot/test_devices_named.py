"""boot.machine_type, boot.disk_bus, boot.nic_model: on each that the profile names."""

import dataclasses

import pytest

from harness.errors import NotApplicable
from harness.guests.guest import Guest
from harness.hypervisors.base import Network
from harness.hypervisors.capabilities import NETWORK, NVME, QEMU_DEVICES
from harness.lab.bench import Bench
from harness.plugin.applicability import require_listed
from harness.plugin.markers import cost, feature, requires
from harness.profiles.hardware import DiskBus, Firmware, MachineType, NicModel
from harness.waiting import NotYet

HOST_BRIDGES = {MachineType.Q35: "8086:29c0", MachineType.PC: "8086:1237"}
"""The PCI ids of the two chipsets' host bridges (QEMU's hw/pci-host)."""

CONTROLLERS = {
    DiskBus.VIRTIO: "virtio_blk",
    DiskBus.SCSI: "virtio_scsi",
    DiskBus.SATA: "ahci",
    DiskBus.IDE: "ata_piix",
    DiskBus.NVME: "nvme",
}

NIC_DRIVERS = {
    NicModel.VIRTIO: {"virtio_net"},
    NicModel.E1000E: {"e1000e"},
    NicModel.E1000: {"e1000"},
    NicModel.RTL8139: {"8139cp", "8139too"},  # the kernel has two for it
}


@feature("boot.machine_type")
@requires(QEMU_DEVICES)
@pytest.mark.parametrize("machine_type", HOST_BRIDGES, ids=str)
@cost(60)
def test_boots_on_each_machine_type(machine: Guest, machine_type: MachineType) -> None:
    """The guest boots on the chipset, and finds it there."""
    require_listed(
        machine.profile, "machine types", machine.profile.hardware.machine_types, machine_type
    )
    _require_firmware(machine, machine_type)
    machine.redefine(machine_type=machine_type)

    machine.boot()

    bridges = set(machine.os.devices.pci()) & set(HOST_BRIDGES.values())
    assert bridges == {HOST_BRIDGES[machine_type]}


BUSES = [pytest.param(bus, marks=requires(NVME)) if bus is DiskBus.NVME else bus for bus in DiskBus]


@feature("boot.disk_bus")
@requires(QEMU_DEVICES)
@pytest.mark.parametrize("bus", BUSES, ids=str)
@cost(60)
def test_boots_from_a_disk_on_each_bus(machine: Guest, bus: DiskBus) -> None:
    """The guest boots from a disk on the bus, with its root file system there."""
    require_listed(machine.profile, "disk buses", machine.profile.hardware.disk_buses, bus)
    root, *others = machine.definition.disks
    disks = [dataclasses.replace(root, bus=bus), *others]
    chipset = MachineType.PC if bus is DiskBus.IDE else machine.definition.machine_type
    _require_firmware(machine, chipset)
    machine.redefine(disks=disks, machine_type=chipset)

    machine.boot()

    name = machine.os.disks.root()
    disk = next(disk for disk in machine.os.disks.all() if disk.name == name)
    assert disk.serial == root.serial
    drivers = set(machine.os.disks.drivers(name)) & set(CONTROLLERS.values())
    assert drivers == {CONTROLLERS[bus]}


def _require_firmware(machine: Guest, chipset: str) -> None:
    """Raise NotApplicable where the machine's firmware does not run on the chipset."""
    if machine.definition.firmware is Firmware.SECURE_BOOT and chipset != MachineType.Q35:
        raise NotApplicable(f"firmware that enforces signatures runs on q35, not on {chipset}")


@feature("boot.nic_model")
@requires(NETWORK, QEMU_DEVICES)
@pytest.mark.parametrize("model", NicModel, ids=str)
@cost(60)
def test_has_an_address_on_each_network_card(machine: Guest, bench: Bench, model: NicModel) -> None:
    """The guest drives the card with its own driver, and has the address that it was leased."""
    require_listed(machine.profile, "network cards", machine.profile.hardware.nic_models, model)
    nic = machine.definition.nics[0]
    machine.redefine(nics=[dataclasses.replace(nic, model=model)])

    machine.boot()
    machine.await_settled()

    (seen,) = machine.os.network.nics()
    assert seen.mac == nic.mac
    assert seen.driver in NIC_DRIVERS[model]
    network, _ = bench.networks.get()
    awaited = f"{nic.mac} to have its leased address"  # start-up does not wait for the network
    machine.wait_for(lambda: _has_its_lease(machine, network), awaited, seconds=10)


def _has_its_lease(machine: Guest, network: Network) -> None:
    (seen,) = machine.os.network.nics()
    leased = network.leases().get(seen.mac)
    if leased not in [address.partition("/")[0] for address in seen.addresses]:
        raise NotYet(f"{', '.join(seen.addresses) or 'no address'}, where {leased} was leased")
