"""boot.driver_inventory: every paravirtual device has its driver, which can be loaded again."""

from collections import Counter

from harness.features.tiers import Tier
from harness.guests.guest import Guest
from harness.hypervisors.capabilities import QEMU_DEVICES
from harness.oracles.log import faults
from harness.plugin.markers import cost, feature, read_only, requires

ALWAYS = ("virtio_balloon", "virtio_console", "virtio_rng")
"""Drivers of the devices of every machine, by the names of their modules."""

OPTIONAL = ("virtio_balloon", "virtio_rng")
"""Modules that can be unloaded for a while."""


@feature("boot.driver_inventory")
@requires(QEMU_DEVICES)
@read_only
def test_every_paravirtual_device_has_its_driver(guest: Guest) -> None:
    """The virtio devices are those of the machine, each bound to its driver."""
    definition = guest.definition
    expected = Counter(ALWAYS)
    expected["virtio_net"] = sum(nic.model == "virtio" for nic in definition.nics)
    expected["virtio_blk"] = sum(disk.bus == "virtio" for disk in definition.disks)
    expected["virtio_scsi"] = int(any(disk.bus == "scsi" for disk in definition.disks))

    assert Counter(guest.os.devices.virtio_drivers()) == +expected


@feature("boot.driver_inventory")
@requires(QEMU_DEVICES)
@cost(40)
def test_optional_drivers_load_again_and_again(guest: Guest, tier: Tier) -> None:
    """Optional drivers are unloaded and loaded repeatedly."""
    drivers = Counter(guest.os.devices.virtio_drivers())
    boot_id = guest.os.lifecycle.boot_id()
    before = faults(guest)
    for module in OPTIONAL:
        for turn in range(tier.repeats):
            assert guest.os.devices.unload_driver(module), f"{module} cannot be unloaded"
            without = drivers - Counter([module]) + Counter(["-"])
            assert Counter(guest.os.devices.virtio_drivers()) == without, (
                f"{module}, turn {turn + 1}"
            )
            assert guest.os.devices.load_driver(module), f"{module} cannot be loaded again"
            assert Counter(guest.os.devices.virtio_drivers()) == drivers, (
                f"{module}, turn {turn + 1}"
            )
    assert guest.os.lifecycle.boot_id() == boot_id
    assert faults(guest) == before
