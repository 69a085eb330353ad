"""boot.order: the firmware continues with the next device where it finds nothing to boot."""

import dataclasses

from harness.guests.guest import Guest
from harness.hypervisors.capabilities import NETWORK
from harness.hypervisors.definitions import DiskDefinition
from harness.image_store.qemu_img import create_disk
from harness.plugin.markers import cost, feature, requires, variants
from harness.profiles.hardware import Firmware


@feature("boot.order")
@variants(Firmware.UEFI)  # SeaBIOS tries one disk alone
@cost(65)
def test_boots_from_the_second_disk_where_the_first_is_blank(machine: Guest) -> None:
    """With a blank disk before it, the system disk is booted, and the guest sees both."""
    root, *others = machine.definition.disks
    path = machine.folder / "blank.qcow2"
    create_disk(path, "64M")
    blank = DiskDefinition(path, "GC-BLANK", bus=root.bus, boot_order=1)
    machine.redefine(disks=[blank, dataclasses.replace(root, boot_order=2), *others])

    machine.boot()

    serials = {disk.name: disk.serial for disk in machine.os.disks.all()}
    assert set(serials.values()) == {blank.serial, root.serial}
    assert serials[machine.os.disks.root()] == root.serial


@feature("boot.order")
@requires(NETWORK)
@cost(90)
def test_falls_back_from_the_network_to_the_disk(machine: Guest) -> None:
    """A network that offers nothing to boot is tried first; then the disk is booted."""
    root, *others = machine.definition.disks
    (nic,) = machine.definition.nics
    machine.redefine(
        nics=[dataclasses.replace(nic, boot_order=1)],
        disks=[dataclasses.replace(root, boot_order=2), *others],
    )

    machine.boot()

    output, _, _ = machine.console.since(0).partition(b"Linux version")
    assert b"PXE" in output, "the firmware did not report that it tried the network"
    serials = {disk.name: disk.serial for disk in machine.os.disks.all()}
    assert serials[machine.os.disks.root()] == root.serial
