"""What a Linux guest says of itself, read from its kernel's own files where there are any."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.channels.base import CommandResult
from harness.errors import ChannelError


class Runner(Protocol):
    """Runs a program in the guest as its administrator."""

    def __call__(
        self, arguments: Sequence[str], *, stdin: bytes = b"", seconds: float = 30
    ) -> CommandResult:
        """Raises ChannelError where no channel answers."""
        ...


@dataclass(frozen=True)
class GuestDisk:
    """A disk as the guest sees it."""

    name: str
    serial: str
    size: int  # bytes
    driver: str


@dataclass(frozen=True)
class GuestNic:
    """A network card as the guest sees it."""

    name: str
    mac: str
    driver: str
    addresses: tuple[str, ...]  # with prefix length, IPv4 and IPv6, link-local included


@dataclass(frozen=True)
class Processor:
    """Where a processor stands, by the kernel's numbers; cores are numbered within a socket."""

    number: int
    socket: int
    core: int
    siblings: str  # the threads of its core, as a kernel list


@dataclass(frozen=True)
class LogLine:
    """One line of the kernel log; level as in syslog: 0 emergency to 7 debug."""

    level: int
    text: str


class LinuxOs:
    """Reads facts of a Linux guest. Each method asks the guest anew; nothing is remembered."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def sh(self, script: str, *arguments: str, seconds: float = 30) -> str:
        """Output of a shell script of ours that must succeed; `arguments` are $1, $2, ...

        Raises ChannelError where the script fails: an oracle can't be read from nothing.
        """
        result = self._run(["sh", "-c", script, "sh", *arguments], seconds=seconds)
        if result.exit_status != 0:
            said = result.error_text or result.text
            raise ChannelError(
                f"`{script[:80]}` in the guest ended with {result.exit_status}: {said[-300:]!r}"
            )
        return result.text

    def succeeds(self, *arguments: str) -> bool:
        """Whether a program in the guest ends with 0."""
        return self._run(arguments).exit_status == 0

    def read(self, path: str) -> str:
        """A text file of the guest, without the last line end."""
        return self.sh('cat -- "$1"', path)

    # -- life -----------------------------------------------------------------------------

    def boot_id(self) -> str:
        """The kernel's random id of this boot: a new one proves a reboot."""
        return self.read("/proc/sys/kernel/random/boot_id").strip()

    def uptime(self) -> float:
        """Seconds since boot by the guest's own clock, which stands while it is paused."""
        return float(self.read("/proc/uptime").split()[0])

    def settled(self) -> str:
        """Wait until start-up, cloud-init's part too, is over; the state that systemd tells.

        systemd may call itself running while drivers are still being loaded, and whoever waits for
        a device (the power button, for one) does not have it yet.
        """
        return self.sh(
            "if command -v udevadm >/dev/null; then udevadm settle --timeout=300; fi;"
            " if command -v systemctl >/dev/null; then systemctl is-system-running --wait; fi; :",
            seconds=60,
        ).strip()

    def sync(self) -> None:
        """Write everything down to the disks."""
        self.sh("sync")

    def power_off(self) -> None:
        """Ask for power-off from inside; returns at once."""
        self.sh("(sleep 1; poweroff) >/dev/null 2>&1 &")

    def reboot(self) -> None:
        """Ask for a reboot from inside; returns at once."""
        self.sh("(sleep 1; reboot) >/dev/null 2>&1 &")

    def clock(self) -> float:
        """Seconds since 1970 by the guest's clock."""
        return float(self.sh("date +%s.%N"))

    def startup(self) -> tuple[float, float]:
        """Seconds that the kernel with its initrd took to start, and all services after it.

        Source: systemd's own time stamps, from its kernel's start on. Both are 0 without systemd.
        """
        shown = self.sh(
            "systemctl show --property=UserspaceTimestampMonotonic"
            " --property=FinishTimestampMonotonic --value || printf '0\\n0\\n'"
        )
        begun, done = (int(number) / 1e6 for number in shown.split())
        return begun, max(0.0, done - begun)

    # -- log and services -----------------------------------------------------------------

    def kernel_log(self) -> list[LogLine]:
        """The kernel log of this boot, with levels."""
        lines = []
        for line in self.sh("dmesg -r", seconds=30).splitlines():
            match = re.match(r"<(\d+)>(.*)", line)
            if match:
                lines.append(LogLine(int(match.group(1)) & 7, match.group(2)))
        return lines

    def running_units(self) -> set[str]:
        """The services that run now."""
        listed = self.sh(
            "systemctl list-units --type=service --state=running --plain --no-legend --no-pager"
        )
        return {line.split()[0] for line in listed.splitlines() if line.strip()}

    def failed_units(self) -> list[str]:
        """The systemd units that have failed since boot."""
        listed = self.sh("systemctl list-units --failed --plain --no-legend --no-pager")
        return [line.split()[0] for line in listed.splitlines() if line.strip()]

    # -- hardware -------------------------------------------------------------------------

    def cpus_online(self) -> int:
        """Processors that the scheduler uses."""
        return _count_ranges(self.read("/sys/devices/system/cpu/online"))

    def cpus_present(self) -> int:
        """Processors that the machine has."""
        return _count_ranges(self.read("/sys/devices/system/cpu/present"))

    def processor_flags(self) -> set[str]:
        """What the kernel found its first processor to offer, by the kernel's names."""
        for line in self.read("/proc/cpuinfo").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "flags":
                return set(value.split())
        raise ChannelError("the guest's /proc/cpuinfo names no flags")

    def processors(self) -> list[Processor]:
        """Every online processor, with its place."""
        listed = self.sh(
            "for c in /sys/devices/system/cpu/cpu[0-9]*; do t=$c/topology;"
            ' [ -e "$t/core_id" ] || continue;'
            ' echo "${c##*cpu}|$(cat "$t/physical_package_id")|$(cat "$t/core_id")|'
            '$(cat "$t/thread_siblings_list")"; done'
        )
        found = []
        for line in listed.splitlines():
            number, socket, core, siblings = _fields(line, 4)
            found.append(Processor(int(number), int(socket), int(core), siblings))
        return found

    def numa_nodes(self) -> dict[int, tuple[int, int]]:
        """Processors and bytes of memory of each NUMA node."""
        listed = self.sh(
            "for n in /sys/devices/system/node/node[0-9]*; do"
            ' echo "${n##*node}|$(cat "$n/cpulist")|'
            '$(sed -n \'s/.*MemTotal: *\\([0-9]*\\) kB/\\1/p\' "$n/meminfo")"; done'
        )
        nodes = {}
        for line in listed.splitlines():
            node, processors, kilobytes = _fields(line, 3)
            nodes[int(node)] = (_count_ranges(processors), int(kilobytes) * 1024)
        return nodes

    def interrupts(self, kind: str) -> int:
        """How many interrupts of a kind (`NMI`, ...) all processors have taken since boot."""
        for line in self.read("/proc/interrupts").splitlines():
            name, _, counts = line.strip().partition(":")
            if name == kind:
                return sum(int(count) for count in counts.split() if count.isdigit())
        raise ChannelError(f"the guest's /proc/interrupts counts no {kind}")

    def memory_available(self) -> int:
        """Bytes that programs could still have, by the kernel's own estimate."""
        return self._memory("MemAvailable")

    def memory_total(self) -> int:
        """Bytes of memory that the kernel manages."""
        return self._memory("MemTotal")

    def _memory(self, name: str) -> int:
        match = re.search(rf"{name}:\s+(\d+) kB", self.read("/proc/meminfo"))
        if match is None:
            raise ChannelError(f"the guest's /proc/meminfo has no {name}")
        return int(match.group(1)) * 1024

    def disks(self) -> list[GuestDisk]:
        """Every disk that has a device behind it (no loop or RAM disks)."""
        listed = self.sh(
            'for d in /sys/block/*; do [ -e "$d/device" ] || continue;'
            ' driver=$(basename "$(readlink -f "$d/device/driver")");'
            ' serial=$(cat "$d/serial" "$d/device/serial" 2>/dev/null | head -n1);'
            ' [ -n "$serial" ] || serial=$(tail -c +5 "$d/device/vpd_pg80" 2>/dev/null);'
            ' echo "$(basename "$d")|$serial|$(cat "$d/size")|$driver"; done'
        )
        disks = []
        for line in listed.splitlines():
            name, serial, sectors, driver = _fields(line, 4)
            disks.append(GuestDisk(name, serial.strip(), int(sectors) * 512, driver))
        return disks

    def disk_drivers(self, name: str) -> list[str]:
        """The drivers of a disk and of what it hangs on, from the disk up to its bus."""
        return self.sh(
            'd=$(readlink -f "/sys/block/$1/device"); while [ "$d" != /sys ]; do'
            ' [ -e "$d/driver" ] && basename "$(readlink -f "$d/driver")"; d=$(dirname "$d");'
            " done; :",
            name,
        ).split()

    def root_device(self) -> str:
        """The name of the disk that holds the root file system."""
        return self.sh(
            'p=$(findmnt -no SOURCE /); basename "$(dirname "$(readlink -f '
            '"/sys/class/block/$(basename "$(readlink -f "$p")")")")"'
        ).strip()

    def nics(self) -> list[GuestNic]:
        """Every network card that has a device behind it."""
        listed = self.sh(
            'for n in /sys/class/net/*; do [ -e "$n/device" ] || continue;'
            ' echo "$(basename "$n")|$(cat "$n/address")|'
            '$(basename "$(readlink -f "$n/device/driver")")"; done'
        )
        addresses = self._addresses()
        nics = []
        for line in listed.splitlines():
            name, mac, driver = _fields(line, 3)
            nics.append(GuestNic(name, mac, driver, tuple(addresses.get(name, ()))))
        return nics

    def _addresses(self) -> dict[str, list[str]]:
        by_name: dict[str, list[str]] = {}
        for link in self._json("ip -json address"):
            by_name[str(link.get("ifname"))] = [
                f"{address.get('local')}/{address.get('prefixlen')}"
                for address in link.get("addr_info", [])
            ]
        return by_name

    def ssh_host_keys(self) -> set[str]:
        """The public keys by which the guest's SSH server is known."""
        listed = self.sh("cat /etc/ssh/ssh_host_*_key.pub 2>/dev/null; :")
        return {" ".join(line.split()[:2]) for line in listed.splitlines() if line.strip()}

    def default_routes(self) -> list[str]:
        """The gateways of IPv4's default routes."""
        routes = self._json("ip -json -4 route show default")
        return [str(route.get("gateway")) for route in routes]

    def resolve(self, name: str) -> list[str]:
        """The addresses that the guest's resolver gives for a name; none where it gives none."""
        result = self._run(["getent", "ahosts", name])
        return sorted({line.split()[0] for line in result.text.splitlines() if line.strip()})

    def is_uefi(self) -> bool:
        """Whether the kernel was started through UEFI."""
        return self.succeeds("test", "-d", "/sys/firmware/efi")

    def uefi_variable(self, name: str, vendor: str) -> bytes:
        """A UEFI variable's data, without its attributes; empty where there is none."""
        path = f"/sys/firmware/efi/efivars/{name}-{vendor}"
        return self._run(["cat", path]).output[4:]

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

    def _json(self, command: str) -> list[dict[str, Any]]:
        text = self.sh(command)
        try:
            document = json.loads(text or "[]")
        except (ValueError, RecursionError) as error:
            raise ChannelError(f"`{command}` in the guest gave no JSON: {text[:80]!r}") from error
        if not isinstance(document, list):
            raise ChannelError(f"`{command}` in the guest gave no list: {text[:80]!r}")
        return [entry for entry in document if isinstance(entry, dict)]


def _count_ranges(text: str) -> int:
    """Count the members of a kernel list such as `0-2,4`."""
    count = 0
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        count += int(last or first) - int(first) + 1
    return count


def _fields(line: str, count: int) -> list[str]:
    fields = line.split("|")
    if len(fields) != count:
        raise ChannelError(f"the guest listed {line[:80]!r}, not {count} fields")
    return fields
