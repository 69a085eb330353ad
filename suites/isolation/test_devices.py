"""isolation.devices: the guest sees what was defined, and none of the host's."""

from collections import Counter

from harness.guests.guest import Guest
from harness.hypervisors.capabilities import QEMU_DEVICES
from harness.oracles.control import control
from harness.oracles.inventory import PORTS, expected_pci, unexpected
from harness.plugin.markers import feature, read_only, requires


@feature("isolation.devices")
@requires(QEMU_DEVICES)
@read_only
def test_pci_devices_are_those_defined(guest: Guest) -> None:
    """Every PCI function belongs to a device of the definition, and each of these is seen."""
    seen = Counter(guest.os.devices.pci())

    surplus, missing = unexpected(seen, expected_pci(guest.definition))

    assert not missing, f"defined, but not seen: {missing}"
    assert not surplus, f"seen, but not defined: {surplus}"


@feature("isolation.devices")
@read_only
def test_there_are_no_usb_devices(guest: Guest) -> None:
    """The guest has no USB device, since none was defined; PCI devices are listed the same way."""
    with control():
        assert guest.os.devices.pci(), (
            "no device at all is listed, so a USB device would not be either"
        )

    assert guest.os.devices.usb() == []


@feature("isolation.devices")
@requires(QEMU_DEVICES)
@read_only
def test_block_devices_are_those_defined(guest: Guest) -> None:
    """The guest has no disk but its own."""
    assert sorted(disk.serial for disk in guest.os.disks.all()) == sorted(
        disk.serial for disk in guest.definition.disks
    )


@feature("isolation.devices")
@requires(QEMU_DEVICES)
@read_only
def test_channels_are_those_defined(guest: Guest) -> None:
    """The guest has no channel to the host but its agent's."""
    assert guest.os.devices.virtio_ports() == sorted(PORTS)
