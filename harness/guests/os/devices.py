"""Devices and their drivers."""

from __future__ import annotations

import re
from typing import Protocol

from harness.errors import NotApplicable
from harness.guests.answers import Fields, flag, texts
from harness.guests.linux.shell import LinuxShell
from harness.guests.windows.drivers import DRIVERS, linux_name
from harness.guests.windows.powershell import WindowsShell

SMBIOS = {
    "sys_vendor": ("Win32_ComputerSystem", "Manufacturer"),
    "product_name": ("Win32_ComputerSystemProduct", "Name"),
    "product_serial": ("Win32_ComputerSystemProduct", "IdentifyingNumber"),
    "product_uuid": ("Win32_ComputerSystemProduct", "UUID"),
    "bios_vendor": ("Win32_BIOS", "Manufacturer"),
    "bios_version": ("Win32_BIOS", "SMBIOSBIOSVersion"),
}
"""Where CIM has the strings that Linux's sysfs names."""

PCI = re.compile(r"PCI\\VEN_([0-9A-F]{4})&DEV_([0-9A-F]{4})", re.IGNORECASE)

USB = re.compile(r"USB\\VID_([0-9A-F]{4})&PID_([0-9A-F]{4})(?!.*&MI_)", re.IGNORECASE)

VIRTIO = "1af4"


class Devices(Protocol):
    """Devices and their drivers."""

    def smbios(self, field: str) -> str:
        """A string of the machine's SMBIOS tables, by the name that Linux's sysfs gives it."""

    def pci(self) -> list[str]:
        """`vendor:device` of every PCI function, sorted, with repetitions."""

    def usb(self) -> list[str]:
        """`vendor:product` of every USB device."""

    def virtio_drivers(self) -> list[str]:
        """The drivers of all virtio devices, sorted; a device without one gives `-`."""

    def virtio_ports(self) -> list[str]:
        """The names of the virtio serial ports, sorted."""

    def has_acpi_driver(self, driver: str) -> bool:
        """Whether a driver of this name exists for a device that ACPI describes."""

    def unload_driver(self, driver: str) -> bool:
        """Detach a driver from its devices; returns whether that succeeded."""

    def load_driver(self, driver: str) -> bool:
        """Attach a driver to its devices; returns whether that succeeded."""


class LinuxDevices(LinuxShell):
    """See Devices."""

    def smbios(self, field: str) -> str:
        """A string of the machine's SMBIOS tables, by the name that sysfs gives it."""
        return self.read(f"/sys/class/dmi/id/{field}").strip()

    def pci(self) -> list[str]:
        """`vendor:device` of every PCI function, sorted, with repetitions."""
        listed = self.sh(
            'for d in /sys/bus/pci/devices/*; do echo "$(cat "$d/vendor"):$(cat "$d/device")"; done'
        )
        return sorted(line.replace("0x", "") for line in listed.splitlines())

    def usb(self) -> list[str]:
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


class WindowsDevices(WindowsShell):
    """See Devices. Drivers have Linux's names, or Windows' own."""

    def smbios(self, field: str) -> str:
        """A string of the machine's SMBIOS tables, by the name that Linux's sysfs gives it."""
        if field not in SMBIOS:
            raise NotApplicable(f"no CIM class has {field}")
        class_name, name = SMBIOS[field]
        return self.instance(class_name, name).text(name)

    def pci(self) -> list[str]:
        """`vendor:device` of every PCI function, sorted, with repetitions."""
        return sorted(ids for ids in map(_pci_ids, self._entities()) if ids)

    def usb(self) -> list[str]:
        """`vendor:product` of every USB device; root hubs have none."""
        matches = (USB.match(entity.text("DeviceID")) for entity in self._entities())
        return sorted(f"{m.group(1)}:{m.group(2)}".lower() for m in matches if m)

    def virtio_drivers(self) -> list[str]:
        """The drivers of all virtio devices, sorted; a device without one that works gives `-`."""
        found = []
        for entity in self._entities():
            if _pci_ids(entity).startswith(VIRTIO):
                works = entity.number("ConfigManagerErrorCode") == 0
                found.append(linux_name(entity.text("Service")) if works else "-")
        return sorted(driver or "-" for driver in found)

    def virtio_ports(self) -> list[str]:
        """The names of the virtio serial ports. Needs Windows 10 or Server 2016."""
        return sorted(texts(self.ask("ports"), "ports"))

    def has_acpi_driver(self, driver: str) -> bool:
        """Whether a driver of this name runs; Windows does not list drivers by bus."""
        drivers = self.instances("Win32_SystemDriver", "Name", "State")
        return any(
            found.text("Name").lower() == driver.lower() and found.text("State") == "Running"
            for found in drivers
        )

    def unload_driver(self, driver: str) -> bool:
        """Disable the driver's devices; returns its success. Needs Windows 10 or Server 2016."""
        return self._switch_driver("off", driver)

    def load_driver(self, driver: str) -> bool:
        """Enable the driver's devices; returns its success. Needs Windows 10 or Server 2016."""
        return self._switch_driver("on", driver)

    def _entities(self) -> list[Fields]:
        return self.instances("Win32_PnPEntity", "DeviceID", "Service", "ConfigManagerErrorCode")

    def _switch_driver(self, state: str, driver: str) -> bool:
        services = [service for service, linux in DRIVERS.items() if linux == driver] or [driver]
        return flag(self.ask("switch_driver", state, *services), "driver's state")


def _pci_ids(entity: Fields) -> str:
    match = PCI.match(entity.text("DeviceID"))
    return f"{match.group(1)}:{match.group(2)}".lower() if match else ""
