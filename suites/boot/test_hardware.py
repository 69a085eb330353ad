"""boot.hardware: the machine's definition is the expected value."""

import json
import subprocess

from harness.guests.guest import Guest
from harness.guests.os.disks import GuestDisk
from harness.hypervisors.capabilities import QEMU_DEVICES
from harness.plugin.markers import feature, read_only, requires

KERNEL_RESERVE = 0.12
"""The share of memory that firmware and kernel reserve on a machine of 1 GiB."""


@feature("boot.hardware")
@read_only
def test_processors_are_as_defined(guest: Guest) -> None:
    """The guest has as many processors as its machine was given."""
    assert guest.os.cpus.present() == guest.definition.vcpus


@feature("boot.hardware")
@read_only
def test_memory_is_as_defined(guest: Guest) -> None:
    """The guest counts its machine's memory, less what firmware and kernel reserve."""
    given = guest.definition.memory_mib * 1024 * 1024

    counted = guest.os.memory.total()

    assert given * (1 - KERNEL_RESERVE) <= counted <= given


@feature("boot.hardware")
@requires(QEMU_DEVICES)
@read_only
def test_disks_are_as_defined(guest: Guest) -> None:
    """The guest sees its disks by number, serial and size, and the root disk on its driver."""
    disks = guest.os.disks.all()

    assert sorted(d.serial for d in disks) == sorted(d.serial for d in guest.definition.disks)
    seen = {disk.serial: disk for disk in disks}
    for disk in guest.definition.disks:
        assert seen[disk.serial].size == _virtual_size(str(disk.path)), disk.serial
    expected = guest.profile.drivers.disk
    assert expected is None or _root(guest, seen).driver == expected


@feature("boot.hardware")
@requires(QEMU_DEVICES)
@read_only
def test_nics_are_as_defined(guest: Guest) -> None:
    """The guest sees its network cards by number, address and driver."""
    nics = guest.os.network.nics()

    assert sorted(nic.mac for nic in nics) == sorted(nic.mac for nic in guest.definition.nics)
    expected = guest.profile.drivers.nic
    assert expected is None or {nic.driver for nic in nics} <= {expected}


@feature("boot.hardware")
@requires(QEMU_DEVICES)
@read_only
def test_firmware_strings_are_as_defined(guest: Guest) -> None:
    """The guest reads from SMBIOS what its machine was given."""
    definition = guest.definition

    assert guest.os.devices.smbios("sys_vendor") == "guestcert"
    assert guest.os.devices.smbios("product_name") == f"guestcert {definition.machine_type}"
    assert guest.os.devices.smbios("product_serial") == definition.smbios_serial
    assert guest.os.devices.smbios("product_uuid").lower() == definition.uuid.lower()


def _root(guest: Guest, seen: dict[str, GuestDisk]) -> GuestDisk:
    name = guest.os.disks.root()
    assert name in [disk.name for disk in seen.values()], f"the root disk {name} is not listed"
    return next(disk for disk in seen.values() if disk.name == name)


def _virtual_size(path: str) -> int:
    """The size by the host's own tool; -U since the running machine holds the lock."""
    shown = subprocess.run(
        ["qemu-img", "info", "-U", "--output=json", path],
        capture_output=True,
        check=True,
        timeout=60,
    )
    size = json.loads(shown.stdout)["virtual-size"]
    assert isinstance(size, int)
    return size
