"""MachineDefinition and NetworkDefinition as libvirt's XML."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

from harness.host.firmware import FirmwareBuild
from harness.hypervisors.definitions import (
    Accelerator,
    DiskDefinition,
    DiskDevice,
    MachineDefinition,
    NetworkDefinition,
    NicDefinition,
    Topology,
)
from harness.hypervisors.leases import LEASE_TERM, UNRENEWABLE_TERM, lease_for
from harness.hypervisors.libvirt.metadata import add_lease
from harness.hypervisors.libvirt.network_filter import add_filter
from harness.profiles.hardware import Firmware

DNSMASQ = "http://libvirt.org/schemas/network/dnsmasq/1.0"
QEMU = "http://libvirt.org/schemas/domain/qemu/1.0"
MANUFACTURER = "guestcert"

LEASE_HOURS = UNRENEWABLE_TERM // timedelta(hours=1)
"""Term of DHCP leases, longer than any run: a restored guest has its golden state's lease."""

TRANSLATED_MIB = 64
"""Size of TCG's cache of translated code; QEMU flushes it when it is full.

QEMU's default is up to 1 GiB, and a reset does not flush it. Each write to a page then searches all
code that an earlier boot ran there: with QEMU 7.2, UEFI took 33.7 s after a reset instead of 3.4.
A first boot takes 48 s of CPU time, with 1 GiB 46 s, with 32 MiB 60 s. libvirt supports the setting
since 8.0; older versions ignore it.
"""

ElementTree.register_namespace("dnsmasq", DNSMASQ)
ElementTree.register_namespace("qemu", QEMU)

DOMAIN_TYPES = {Accelerator.KVM: "kvm", Accelerator.TCG: "qemu"}
BUS_PREFIX = {
    "virtio": "vd",
    "nvme": "vd",
    "scsi": "sd",
    "sata": "sd",
    "ide": "hd",
    "fdc": "fd",
}


def machine_xml(
    definition: MachineDefinition, firmware: FirmwareBuild | None, console_copy: Path | None = None
) -> str:
    """The domain XML; it lists every device, so that libvirt adds none by default.

    The output of the serial console is also copied to the file `console_copy`.
    """
    domain = ElementTree.Element("domain", type=DOMAIN_TYPES[definition.accelerator])
    _text(domain, "name", definition.name)
    _text(domain, "uuid", definition.uuid)
    add_lease(domain, lease_for(definition.owner))
    if definition.generation_id:
        ElementTree.SubElement(domain, "genid")  # libvirt generates one for each copy
    _text(domain, "memory", str(definition.memory_mib), unit="MiB")
    _text(domain, "vcpu", str(definition.vcpus))
    _smbios(domain, definition)
    _boot(domain, definition, firmware)
    _features(domain, definition, firmware)
    _cpu(domain, definition)
    ElementTree.SubElement(domain, "clock", offset="utc")
    _text(domain, "on_poweroff", "destroy")
    _text(domain, "on_reboot", "restart")
    _text(domain, "on_crash", "preserve")
    sleep = ElementTree.SubElement(domain, "pm")
    ElementTree.SubElement(sleep, "suspend-to-mem", enabled="yes")
    ElementTree.SubElement(sleep, "suspend-to-disk", enabled="yes")
    _devices(domain, definition, console_copy)
    if nvme := [disk for disk in definition.disks if disk.bus == "nvme"]:
        _nvme_controllers(domain, nvme)
    return ElementTree.tostring(domain, encoding="unicode")


def cpu_xml(model: str) -> str:
    """The <cpu> element for a processor model, as in machine_xml."""
    return ElementTree.tostring(
        _named_cpu(ElementTree.Element("domain"), model), encoding="unicode"
    )


def snapshot_xml(name: str) -> str:
    """The XML of a snapshot of memory and all disks, stored in the disks' own files."""
    snapshot = ElementTree.Element("domainsnapshot")
    _text(snapshot, "name", name)
    return ElementTree.tostring(snapshot, encoding="unicode")


def network_xml(definition: NetworkDefinition, term: timedelta = LEASE_TERM) -> str:
    """The network XML: isolated (no <forward>), with a default route that leads nowhere.

    `term` is the term of the network's lease.
    """
    network = ElementTree.Element("network")
    _text(network, "name", definition.name)
    add_lease(network, lease_for(definition.owner, term=term))
    ElementTree.SubElement(network, "bridge", name=definition.bridge, stp="off", delay="0")
    ElementTree.SubElement(network, "domain", name=definition.domain, localOnly="yes")
    dns = ElementTree.SubElement(network, "dns")
    host = ElementTree.SubElement(dns, "host", ip=definition.gateway)
    _text(host, "hostname", definition.host_name)
    v4 = ElementTree.SubElement(
        network, "ip", address=definition.gateway, prefix=str(definition.prefix)
    )
    dhcp = ElementTree.SubElement(v4, "dhcp")
    leased = ElementTree.SubElement(
        dhcp, "range", start=definition.dhcp_start, end=definition.dhcp_end
    )
    # No time passes in a saved guest: it would resume with an expired lease.
    ElementTree.SubElement(leased, "lease", expiry=str(LEASE_HOURS), unit="hours")
    ElementTree.SubElement(
        network,
        "ip",
        family="ipv6",
        address=definition.gateway_v6,
        prefix=str(definition.prefix_v6),
    )
    # libvirt configures dnsmasq to offer no router on an isolated network; a tagged option
    # overrides that, and every card of QEMU's address range gets the tag.
    options = ElementTree.SubElement(network, f"{{{DNSMASQ}}}options")
    # An address belongs to a MAC, whatever client id the guest sends: machines of one installed
    # disk may share it. libvirt's <host> cannot express that; every dnsmasq supports `id:*`.
    reserved = [f"dhcp-host={mac},id:*,{ip}" for mac, ip in definition.reservations.items()]
    for option in (
        "dhcp-mac=set:guests,52:54:00:*:*:*",
        f"dhcp-option=tag:guests,option:router,{definition.gateway}",
        *reserved,
        "dhcp-host=52:54:00:*:*:*,id:*",
    ):
        ElementTree.SubElement(options, f"{{{DNSMASQ}}}option", value=option)
    return ElementTree.tostring(network, encoding="unicode")


def nic_xml(nic: NicDefinition) -> str:
    """The <interface> element of a network card, as in machine_xml."""
    parent = ElementTree.Element("devices")
    return ElementTree.tostring(_nic(parent, nic), encoding="unicode")


def _text(parent: ElementTree.Element, tag: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, tag, attributes).text = text


def _smbios(domain: ElementTree.Element, definition: MachineDefinition) -> None:
    info = ElementTree.SubElement(domain, "sysinfo", type="smbios")
    system = ElementTree.SubElement(info, "system")
    for name, value in (
        ("manufacturer", MANUFACTURER),
        ("product", f"guestcert {definition.machine_type}"),
        ("serial", definition.smbios_serial),
    ):
        _text(system, "entry", value, name=name)


def _boot(
    domain: ElementTree.Element, definition: MachineDefinition, firmware: FirmwareBuild | None
) -> None:
    boot = ElementTree.SubElement(domain, "os")
    _text(boot, "type", "hvm", arch="x86_64", machine=definition.machine_type)
    if firmware is not None:
        secure = "yes" if definition.firmware is Firmware.SECURE_BOOT else "no"
        _text(boot, "loader", str(firmware.code), readonly="yes", type="pflash", secure=secure)
        _text(boot, "nvram", str(definition.nvram), template=str(firmware.variables))
    if definition.direct_boot is not None:
        _text(boot, "kernel", str(definition.direct_boot.kernel))
        _text(boot, "initrd", str(definition.direct_boot.initrd))
        _text(boot, "cmdline", definition.direct_boot.command_line)
    tried = [disk.boot_order for disk in definition.disks if disk.device is not DiskDevice.DISK]
    tried += [nic.boot_order for nic in definition.nics]
    if firmware is None and any(tried):
        # SeaBIOS logs its boot attempts on the serial port, as OVMF does by default.
        ElementTree.SubElement(boot, "bios", useserial="yes")
    ElementTree.SubElement(boot, "smbios", mode="sysinfo")


def _features(
    domain: ElementTree.Element, definition: MachineDefinition, firmware: FirmwareBuild | None
) -> None:
    features = ElementTree.SubElement(domain, "features")
    ElementTree.SubElement(features, "acpi")
    ElementTree.SubElement(features, "apic")
    if firmware is not None and firmware.needs_smm:
        ElementTree.SubElement(features, "smm", state="on")
    if definition.accelerator is Accelerator.TCG:
        translator = ElementTree.SubElement(features, "tcg")
        _text(translator, "tb-cache", str(TRANSLATED_MIB), unit="MiB")


def _cpu(domain: ElementTree.Element, definition: MachineDefinition) -> None:
    if definition.cpu_model is not None:
        cpu = _named_cpu(domain, definition.cpu_model)
    elif definition.accelerator is Accelerator.KVM:
        cpu = ElementTree.SubElement(domain, "cpu", mode="host-passthrough", migratable="on")
    else:
        # All features of TCG: a guest that requires x86-64-v2 or v3 boots too.
        cpu = ElementTree.SubElement(domain, "cpu", mode="maximum")
        # Except two that slow an emulated boot by a sixth: a fifth level of page tables, and fast
        # string instructions, which TCG executes byte by byte.
        for name in ("la57", "erms"):
            ElementTree.SubElement(cpu, "feature", name=name, policy="disable")
    if definition.topology is not None:
        _topology(cpu, definition, definition.topology)


def _named_cpu(parent: ElementTree.Element, model: str) -> ElementTree.Element:
    """A model without the features that the host lacks, as `processor_flags` reports it."""
    cpu = ElementTree.SubElement(parent, "cpu", mode="custom", match="exact", check="none")
    ElementTree.SubElement(cpu, "model", fallback="forbid").text = model
    return cpu


def _topology(cpu: ElementTree.Element, definition: MachineDefinition, topology: Topology) -> None:
    ElementTree.SubElement(
        cpu,
        "topology",
        sockets=str(topology.sockets),
        cores=str(topology.cores),
        threads=str(topology.threads),
    )
    if topology.nodes == 1:
        return
    numa = ElementTree.SubElement(cpu, "numa")
    each = definition.vcpus // topology.nodes
    for node in range(topology.nodes):
        ElementTree.SubElement(
            numa,
            "cell",
            id=str(node),
            cpus=f"{node * each}-{(node + 1) * each - 1}",
            memory=str(definition.memory_mib // topology.nodes),
            unit="MiB",
        )


def _devices(
    domain: ElementTree.Element, definition: MachineDefinition, console_copy: Path | None
) -> None:
    devices = ElementTree.SubElement(domain, "devices")
    _text(devices, "emulator", "/usr/bin/qemu-system-x86_64")
    names: Counter[str] = Counter()
    for disk in definition.disks:
        prefix = BUS_PREFIX[disk.bus]
        _disk(devices, disk, prefix + chr(ord("a") + names[prefix]))
        names[prefix] += 1
    if any(disk.bus == "scsi" for disk in definition.disks):
        ElementTree.SubElement(devices, "controller", type="scsi", model="virtio-scsi")
    for nic in definition.nics:
        _nic(devices, nic)
    ElementTree.SubElement(devices, "controller", type="usb", model="none")
    serial = ElementTree.SubElement(devices, "serial", type="pty")
    if console_copy is not None:
        ElementTree.SubElement(serial, "log", file=str(console_copy), append="on")
    ElementTree.SubElement(serial, "target", port="0")
    channel = ElementTree.SubElement(devices, "channel", type="unix")
    ElementTree.SubElement(channel, "target", type="virtio", name="org.qemu.guest_agent.0")
    video = ElementTree.SubElement(devices, "video")
    ElementTree.SubElement(video, "model", type="vga")
    random = ElementTree.SubElement(devices, "rng", model="virtio")
    _text(random, "backend", "/dev/urandom", model="random")
    ElementTree.SubElement(devices, "memballoon", model="virtio")
    ElementTree.SubElement(devices, "panic", model="isa")
    if definition.watchdog:
        ElementTree.SubElement(devices, "watchdog", model="i6300esb", action="reset")
    if definition.tpm:
        tpm = ElementTree.SubElement(devices, "tpm", model="tpm-crb")
        ElementTree.SubElement(tpm, "backend", type="emulator", version="2.0")
    ElementTree.SubElement(devices, "audio", id="1", type="none")


def _disk(devices: ElementTree.Element, disk: DiskDefinition, target: str) -> None:
    element = ElementTree.SubElement(devices, "disk", type="file", device=str(disk.device))
    driver = ElementTree.SubElement(element, "driver", name="qemu", type=disk.format)
    if disk.device is DiskDevice.DISK:
        driver.set("discard", "unmap")
    ElementTree.SubElement(element, "source", file=str(disk.path))
    if disk.bus == "nvme":
        ElementTree.SubElement(element, "target", dev=target, bus="virtio")
        ElementTree.SubElement(element, "alias", name=_alias(disk))
    else:
        ElementTree.SubElement(element, "target", dev=target, bus=disk.bus)
    if disk.device is not DiskDevice.FLOPPY:
        _text(element, "serial", disk.serial)
    if disk.read_only:
        ElementTree.SubElement(element, "readonly")
    if disk.shareable:
        ElementTree.SubElement(element, "shareable")
    if disk.boot_order is not None:
        ElementTree.SubElement(element, "boot", order=str(disk.boot_order))


def _nvme_controllers(domain: ElementTree.Element, disks: list[DiskDefinition]) -> None:
    """Replace virtio disks by NVMe controllers in QEMU's configuration.

    libvirt supports an NVMe bus only since 2025, and device overrides since 8.2. Both QEMU devices
    are PCI functions with a drive, a serial number and a boot index.
    """
    override = ElementTree.SubElement(domain, f"{{{QEMU}}}override")
    for disk in disks:
        device = ElementTree.SubElement(override, f"{{{QEMU}}}device", alias=_alias(disk))
        frontend = ElementTree.SubElement(device, f"{{{QEMU}}}frontend")
        ElementTree.SubElement(
            frontend, f"{{{QEMU}}}property", name="driver", type="string", value="nvme"
        )


def _alias(disk: DiskDefinition) -> str:
    """Alias of the disk's device; libvirt requires the prefix `ua-` for a user's alias."""
    return "ua-" + "".join(c if c.isalnum() else "-" for c in disk.serial)


def _nic(devices: ElementTree.Element, nic: NicDefinition) -> ElementTree.Element:
    element = ElementTree.SubElement(devices, "interface", type="network")
    ElementTree.SubElement(element, "mac", address=nic.mac)
    ElementTree.SubElement(element, "source", network=nic.network)
    ElementTree.SubElement(element, "model", type=nic.model)
    add_filter(element, nic)
    if nic.policy.isolated:
        ElementTree.SubElement(element, "port", isolated="yes")
    if nic.boot_order is not None:
        ElementTree.SubElement(element, "boot", order=str(nic.boot_order))
    return element
