"""The devices of a Windows guest's machine."""

from __future__ import annotations

import ipaddress
import re

from harness.errors import ChannelError, NotApplicable
from harness.guests.answers import Fields, entries, flag, texts
from harness.guests.os import GuestDisk, GuestNic
from harness.guests.windows.powershell import WindowsShell

DRIVERS = {
    "balloon": "virtio_balloon",
    "virtrng": "virtio_rng",
    "virtioserial": "virtio_console",
    "netkvm": "virtio_net",
    "viostor": "virtio_blk",
    "vioscsi": "virtio_scsi",
    "storahci": "ahci",
    "msahci": "ahci",
    "stornvme": "nvme",
    "intelide": "ata_piix",
    "e1g60": "e1000",
    "e1iexpress": "e1000e",
    "rtl8139": "8139cp",
    "rtl8023x64": "8139cp",
    "rtl8023xp": "8139cp",
}
"""Windows' services that are drivers, in lower case, and Linux's names for them.

Source: the INF files of virtio-win, and of the drivers that Windows brings along.
"""

ALWAYS_THERE = {"disk", "partmgr", "volmgr", "pci", "acpi", "atapi"}
"""Drivers between a disk and the driver that identifies its bus."""

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


class WindowsDevices(WindowsShell):
    """See harness.guests.os.Devices. Drivers have Linux's names for them, or their own."""

    def disks(self) -> list[GuestDisk]:
        """Every disk, by its number. Needs Windows 8 or Server 2012."""
        return [
            GuestDisk(
                f"PhysicalDrive{disk.number('Index')}",
                disk.text("SerialNumber"),
                disk.number("Size"),
                next((d for d in _drivers(disk) if d not in ALWAYS_THERE), ""),
            )
            for disk in self._disks()
        ]

    def disk_drivers(self, name: str) -> list[str]:
        """The drivers of a disk and of its parent devices, from the disk up to the root."""
        for disk in self._disks():
            if name == f"PhysicalDrive{disk.number('Index')}":
                return _drivers(disk)
        raise ChannelError(f"the guest has no disk {name}")

    def root_device(self) -> str:
        """The name of the disk that Windows runs from. Needs Windows 8 or Server 2012."""
        found = self.instances(
            "MSFT_Partition", "DiskNumber", "IsBoot", namespace=r"root\Microsoft\Windows\Storage"
        )
        for partition in found:
            if partition.flag("IsBoot"):
                return f"PhysicalDrive{partition.number('DiskNumber')}"
        raise ChannelError("the guest reports no partition that it runs from")

    def nics(self) -> list[GuestNic]:
        """Every network card that has a device behind it."""
        cards = self.instances(
            *("Win32_NetworkAdapter", "Index", "MACAddress", "NetConnectionID", "ServiceName"),
            where="PhysicalAdapter = TRUE",
        )
        settings = self.instances(
            "Win32_NetworkAdapterConfiguration", "Index", "IPAddress", "IPSubnet"
        )
        addresses = {setting.number("Index"): _addresses(setting) for setting in settings}
        return [
            GuestNic(
                card.text("NetConnectionID"),
                card.text("MACAddress").lower(),
                _linux_name(card.text("ServiceName")),
                addresses.get(card.number("Index"), ()),
            )
            for card in cards
        ]

    def smbios(self, field: str) -> str:
        """A string of the machine's SMBIOS tables, by the name that Linux's sysfs gives it."""
        if field not in SMBIOS:
            raise NotApplicable(f"no CIM class has {field}")
        class_name, name = SMBIOS[field]
        return self.instance(class_name, name).text(name)

    def pci_devices(self) -> list[str]:
        """`vendor:device` of every PCI function, sorted, with repetitions."""
        return sorted(ids for ids in map(_pci_ids, self._entities()) if ids)

    def usb_devices(self) -> list[str]:
        """`vendor:product` of every USB device; root hubs have none."""
        matches = (USB.match(entity.text("DeviceID")) for entity in self._entities())
        return sorted(f"{m.group(1)}:{m.group(2)}".lower() for m in matches if m)

    def virtio_drivers(self) -> list[str]:
        """The drivers of all virtio devices, sorted; a device without one that works gives `-`."""
        found = []
        for entity in self._entities():
            if _pci_ids(entity).startswith(VIRTIO):
                works = entity.number("ConfigManagerErrorCode") == 0
                found.append(_linux_name(entity.text("Service")) if works else "-")
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

    def _switch_driver(self, state: str, driver: str) -> bool:
        services = [service for service, linux in DRIVERS.items() if linux == driver] or [driver]
        return flag(self.ask("switch_driver", state, *services), "driver's state")

    def _disks(self) -> list[Fields]:
        return sorted(entries(self.ask("disks"), "disks"), key=lambda disk: disk.number("Index"))

    def _entities(self) -> list[Fields]:
        return self.instances("Win32_PnPEntity", "DeviceID", "Service", "ConfigManagerErrorCode")


def _linux_name(service: str) -> str:
    return DRIVERS.get(service.lower(), service.lower())


def _drivers(disk: Fields) -> list[str]:
    return [_linux_name(service) for service in disk.texts("Drivers")]


def _pci_ids(entity: Fields) -> str:
    match = PCI.match(entity.text("DeviceID"))
    return f"{match.group(1)}:{match.group(2)}".lower() if match else ""


def _addresses(setting: Fields) -> tuple[str, ...]:
    addresses, masks = setting.texts("IPAddress"), setting.texts("IPSubnet")
    try:
        pairs = list(zip(addresses, masks, strict=True))
        return tuple(ipaddress.ip_interface(f"{a}/{mask}").with_prefixlen for a, mask in pairs)
    except ValueError as error:
        raise ChannelError(f"the guest's addresses are invalid: {error}") from error
