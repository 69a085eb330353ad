"""The devices of a Linux guest's machine, by its kernel's sysfs."""

from __future__ import annotations

from harness.guests.answers import rows, whole_number
from harness.guests.linux.shell import LinuxShell
from harness.guests.os import GuestDisk, GuestNic

ROOT_DISK = """p=$(findmnt -no SOURCE /); n=$(basename "$(readlink -f "${p%%\\[*}")")
while below=$(ls "/sys/class/block/$n/slaves" 2>/dev/null | head -n1); [ -n "$below" ]; do
n=$below; done
d=$(readlink -f "/sys/class/block/$n"); [ ! -e "$d/partition" ] || d=$(dirname "$d")
basename "$d"
"""
"""Btrfs' source is followed by the subvolume in brackets."""


class LinuxDevices(LinuxShell):
    """See harness.guests.os.Devices."""

    def disks(self) -> list[GuestDisk]:
        """Every disk that has a device behind it (no loop or RAM disks)."""
        listed = self.sh(
            'for d in /sys/block/*; do [ -e "$d/device" ] || continue;'
            ' driver=$(basename "$(readlink -f "$d/device/driver")");'
            ' serial=$(cat "$d/serial" "$d/device/serial" 2>/dev/null | head -n1);'
            ' [ -n "$serial" ] || serial=$(tail -c +5 "$d/device/vpd_pg80" 2>/dev/null);'
            ' echo "$(basename "$d")|$serial|$(cat "$d/size")|$driver"; done'
        )
        return [
            GuestDisk(name, serial.strip(), whole_number(sectors, "disk's size") * 512, driver)
            for name, serial, sectors, driver in rows(listed, 4, "list of disks")
        ]

    def disk_drivers(self, name: str) -> list[str]:
        """The drivers of a disk and of its parent devices, from the disk up to its bus."""
        return self.sh(
            'd=$(readlink -f "/sys/block/$1/device"); while [ "$d" != /sys ]; do'
            ' [ -e "$d/driver" ] && basename "$(readlink -f "$d/driver")"; d=$(dirname "$d");'
            " done; :",
            name,
        ).split()

    def root_device(self) -> str:
        """The name of the disk with the root file system, also beneath a logical volume."""
        return self.sh(ROOT_DISK).strip()

    def nics(self) -> list[GuestNic]:
        """Every network card that has a device behind it."""
        listed = self.sh(
            'for n in /sys/class/net/*; do [ -e "$n/device" ] || continue;'
            ' echo "$(basename "$n")|$(cat "$n/address")|'
            '$(basename "$(readlink -f "$n/device/driver")")"; done'
        )
        addresses = self._addresses()
        return [
            GuestNic(name, mac, driver, tuple(addresses.get(name, ())))
            for name, mac, driver in rows(listed, 3, "list of network cards")
        ]

    def _addresses(self) -> dict[str, list[str]]:
        # iproute2 before 5.0 lists an empty object for what it leaves out.
        return {
            link.text("ifname"): [
                f"{address.text('local')}/{address.number('prefixlen')}"
                for address in link.objects("addr_info")
                if address.text("local")
            ]
            for link in self.json("ip -json address")
            if link.text("ifname")
        }

    def smbios(self, field: str) -> str:
        """A string of the machine's SMBIOS tables, by the name that sysfs gives it."""
        return self.read(f"/sys/class/dmi/id/{field}").strip()

    def pci_devices(self) -> list[str]:
        """`vendor:device` of every PCI function, sorted, with repetitions."""
        listed = self.sh(
            'for d in /sys/bus/pci/devices/*; do echo "$(cat "$d/vendor"):$(cat "$d/device")"; done'
        )
        return sorted(line.replace("0x", "") for line in listed.splitlines())

    def usb_devices(self) -> list[str]:
        """`vendor:product` of every USB device, root hubs included."""
        listed = self.sh(
            'for d in /sys/bus/usb/devices/*; do [ -e "$d/idVendor" ] || continue;'
            ' echo "$(cat "$d/idVendor"):$(cat "$d/idProduct")"; done'
        )
        return sorted(listed.splitlines())

    def virtio_drivers(self) -> list[str]:
        """The drivers of all virtio devices, sorted; a device without one gives `-`."""
        listed = self.sh(
            "for d in /sys/bus/virtio/devices/*; do"
            ' if [ -e "$d/driver" ]; then basename "$(readlink -f "$d/driver")"; else echo -; fi;'
            " done"
        )
        return sorted(listed.split())

    def virtio_ports(self) -> list[str]:
        """The names of the virtio serial ports."""
        listed = self.sh(
            'for p in /sys/class/virtio-ports/*; do [ -e "$p/name" ] && cat "$p/name"; done; :'
        )
        return sorted(line for line in listed.splitlines() if line)

    def has_acpi_driver(self, driver: str) -> bool:
        """Whether a driver of this name exists for a device that ACPI describes."""
        # Drivers of such devices move from the one bus to the other (vmgenid did in Linux 6.10).
        places = (f"/sys/bus/{bus}/drivers/{driver}" for bus in ("acpi", "platform"))
        return any(self.succeeds("test", "-e", place) for place in places)

    def unload_driver(self, driver: str) -> bool:
        """Unload a module; returns whether that succeeded."""
        return self.succeeds("modprobe", "-r", driver)

    def load_driver(self, driver: str) -> bool:
        """Load a module; returns whether that succeeded."""
        return self.succeeds("modprobe", driver)
