"""What can be asked of a guest's operating system, whichever it is.

A case asks `guest.os`, which is one of the implementations of GuestOs; the names are those of what
is wanted, and where a vocabulary is needed (drivers, SMBIOS strings) it is Linux's. Every operation
asks the guest anew, raises ChannelError where the guest gives no answer or one that can not be
understood, and NotApplicable where this operating system has no such thing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from harness.channels.base import CommandResult
from harness.errors import HarnessError
from harness.guests.log_records import LogLine
from harness.guests.log_rules import LogRules


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
class Program:
    """A program with its arguments and its input."""

    arguments: tuple[str, ...]
    stdin: bytes = b""


@dataclass(frozen=True)
class OsRelease:
    """What an operating system records of itself, in os-release's terms.

    `architecture` is that of its programs; a 64-bit kernel may run a 32-bit system. On Windows
    `distribution` is `windows` or `windows-server`, `release` the build number.
    """

    system: str  # Linux, FreeBSD, Windows
    distribution: str
    name: str
    release: str
    title: str  # for a reader
    kernel: str  # its release
    kernel_architecture: str
    architecture: str
    edition: str = ""


KERNEL_ARGUMENT = re.compile(r"[A-Za-z0-9_.,:=/@-]+")


def require_kernel_argument(argument: str) -> None:
    """Raise HarnessError for what no boot loader would hand to its kernel as it is."""
    if not KERNEL_ARGUMENT.fullmatch(argument):
        raise HarnessError(f"{argument!r} is no plain argument of a kernel")


class Ending(StrEnum):
    """How an operating system ends its work by itself."""

    REBOOT = "reboot"
    POWER_OFF = "power off"


class Lifecycle(Protocol):
    """Starting, running, ending."""

    def boot_id(self) -> str:
        """What this boot alone is known by: a new one proves a reboot."""

    def uptime(self) -> float:
        """Seconds since boot by the guest's own clock, which stands while it is paused."""

    def clock(self) -> float:
        """Seconds since 1970 by the guest's clock."""

    def startup(self) -> tuple[float, float]:
        """Seconds that the kernel took to start, and all services after it; 0 where none says."""

    def settled(self) -> str:
        """Wait some time until start-up is over; what it still waits for then, mostly nothing."""

    def sync(self) -> None:
        """Write everything down to the disks."""

    def power_off(self) -> None:
        """Ask for power-off from inside; returns at once."""

    def reboot(self) -> None:
        """Ask for a reboot from inside; returns at once."""

    def ended_cleanly(self, said: bytes, ending: Ending) -> bool:
        """Whether the system went down by itself last time; `said` is the console's part of it."""

    def crash(self, *, after: int) -> None:
        """Have the kernel die `after` so many seconds; returns at once."""

    def hang(self) -> None:
        """Give every processor, in two seconds, to work that lets nothing else have a turn."""


class Product(Protocol):
    """What the system is, and what is installed in it."""

    def os_release(self) -> OsRelease:
        """The system's own record of its release, edition, kernel and architecture."""

    def packages(self, *, limit: int) -> list[str]:
        """Every installed package with its version, sorted; cut off after `limit` bytes."""


class Log(Protocol):
    """The system's log, and its services."""

    @property
    def log_rules(self) -> LogRules:
        """What its records mean."""

    @property
    def recent_log(self) -> tuple[str, ...]:
        """The program, with its arguments, that prints the newest of the log."""

    def kernel_log(self) -> list[LogLine]:
        """The log of this boot, with levels."""

    def running_units(self) -> set[str]:
        """The services that run now, and are meant to go on."""

    def failed_units(self) -> list[str]:
        """The services that have failed since boot."""


class CpuMemory(Protocol):
    """Processors and memory."""

    def cpus_online(self) -> int:
        """Processors that the scheduler uses."""

    def cpus_present(self) -> int:
        """Processors that the machine has."""

    def missing_flags(self, expected: set[str]) -> set[str]:
        """Which of the flags, by libvirt's names, the system says not to find."""

    def processors(self) -> list[Processor]:
        """Every online processor, with its place."""

    def numa_nodes(self) -> dict[int, tuple[int, int]]:
        """Processors and bytes of memory of each NUMA node."""

    def runs_on(self, processor: int) -> int:
        """The number of the processor on which a thread runs that is bound to this one."""

    def memory_available(self) -> int:
        """Bytes that programs could still have, by the kernel's own estimate."""

    def memory_total(self) -> int:
        """Bytes of memory that the kernel manages."""


class Devices(Protocol):
    """What the machine is made of."""

    def disks(self) -> list[GuestDisk]:
        """Every disk that has a device behind it."""

    def disk_drivers(self, name: str) -> list[str]:
        """The drivers of a disk and of what it hangs on, from the disk up to its bus."""

    def root_device(self) -> str:
        """The name of the disk that holds the root file system."""

    def nics(self) -> list[GuestNic]:
        """Every network card that has a device behind it."""

    def smbios(self, field: str) -> str:
        """A string of the machine's SMBIOS tables, by the name that Linux's sysfs gives it."""

    def pci_devices(self) -> list[str]:
        """`vendor:device` of every PCI function, sorted, with repetitions."""

    def usb_devices(self) -> list[str]:
        """`vendor:product` of every USB device."""

    def virtio_drivers(self) -> list[str]:
        """The drivers of all virtio devices, sorted; a device without one gives `-`."""

    def virtio_ports(self) -> list[str]:
        """The names of the virtio serial ports, sorted."""

    def has_acpi_driver(self, driver: str) -> bool:
        """Whether a driver of this name is there for a device that ACPI describes."""

    def unload_driver(self, driver: str) -> bool:
        """Take a driver from its devices; whether that went well."""

    def load_driver(self, driver: str) -> bool:
        """Give a driver to its devices; whether that went well."""


class Network(Protocol):
    """What the network gave."""

    def default_routes(self) -> list[str]:
        """The gateways of IPv4's default routes."""

    def resolve(self, name: str) -> list[str]:
        """The addresses that the guest's resolver gives for a name; none where it gives none."""

    def identity(self) -> dict[str, set[str]]:
        """What tells this guest from others of its image, by what it is."""


class Firmware(Protocol):
    """What the firmware handed over, and what it keeps."""

    def is_uefi(self) -> bool:
        """Whether the kernel was started through UEFI."""

    def knows_firmware(self) -> bool:
        """Whether the system tells anything of its firmware: the control for `is_uefi`."""

    def uefi_variable(self, name: str, vendor: str) -> bytes:
        """A UEFI variable's data, without its attributes; empty where there is none."""

    def set_uefi_variable(self, name: str, vendor: str, data: bytes) -> None:
        """Make a variable: non-volatile, for boot services and the running system."""

    def secure_boot(self) -> bool:
        """Whether the kernel itself says that Secure Boot is on."""

    def tpm_version(self) -> int:
        """The TPM's major version; 0 where there is none."""

    def tpm_exchange(self, command: bytes) -> bytes:
        """The chip's answer to a raw command."""

    def add_boot_argument(self, argument: str) -> None:
        """Have the kernel started with one more argument from the next boot on."""

    def has_boot_argument(self, argument: str) -> bool:
        """Whether the running kernel was started with it."""


class Storage(Protocol):
    """What is written, and what is there afterwards."""

    def root_is_writable(self) -> bool:
        """Whether the root file system can be written to."""

    def write_file(self, name: str, text: str) -> None:
        """Write a line into a file of that name, down to the disk."""

    def read_file(self, name: str) -> str:
        """What is in it; what the system says instead where it is not there."""

    def start_recording(self) -> None:
        """Begin to write numbered records, and to say `kept N.` on the console once N is synced."""

    def records(self) -> list[str]:
        """The records that are there: `record 1`, `record 2`, ..."""

    def write_marker(self, name: str) -> None:
        """Leave a mark on the disk and another in memory."""

    def markers_on_disk(self) -> set[str]:
        """The names of the marks that are there."""

    def markers_in_memory(self) -> set[str]:
        """The names of the marks that are there."""

    def fill_file(self, mark: str) -> int:
        """Fill a file with the mark, down to the disk; returns its first sector on the disk."""

    def has_marker_file(self) -> bool:
        """Whether the file that `fill` makes is there."""

    def disk_holds(self, mark: str, *, start: int, mebibytes: int) -> bool:
        """Whether the mark is on the raw root disk, from byte `start` on."""

    def bytes_not_zero(self, disk: str, mebibytes: int) -> int:
        """How many bytes of the raw disk's first MiB are not zero; `disk` is the guest's name."""

    def prepare_hibernation(self, serial: str) -> None:
        """Have the system sleep to the blank disk of that serial, after its next boot."""

    def enable_hibernation(self, serial: str) -> bool:
        """What is left to do of it after that boot; whether the system could wake from it."""


class Workload(Protocol):
    """Programs that go on by themselves after they were started."""

    def start_ticking(self) -> None:
        """Say `tick` on the console five times a second."""

    def start_counting(self) -> None:
        """Have a process keep raising a number, which `count` reads."""

    def start_echo_server(self, port: int) -> None:
        """Echo what one TCP connection says."""

    def echo_server_listens(self) -> bool:
        """Whether the one that echoes listens by now."""

    def start_echo_client(self, address: str, port: int) -> None:
        """Raise the number each time that its echo came back over one TCP connection."""

    def count(self) -> str:
        """The number; `0` before the first, and what the process last said where it gave up."""

    def start_load(self) -> None:
        """Keep all processors and the disk busy."""

    def load(self) -> float:
        """How busy the processors were in the last seconds; 0 is not at all."""

    def runs(self, argument: str) -> bool:
        """Whether a process with this among its arguments is there."""


class Execution(Protocol):
    """Programs of the system for cases that are about running programs."""

    def succeeding(self) -> Program:
        """One that ends with 0 and says nothing."""

    def saying(self, output: str, errors: str, *, status: int) -> Program:
        """One that says a line on both streams and ends with a status."""

    def random_mebibyte(self) -> Program:
        """One that says a MiB of random bytes, and their SHA-256 as its errors' first word."""

    def lasting(self, name: str) -> Program:
        """One that lasts ten minutes, with `name` among its arguments."""


class GuestOs(
    Lifecycle,
    Product,
    Log,
    CpuMemory,
    Devices,
    Network,
    Firmware,
    Storage,
    Workload,
    Execution,
    Protocol,
):
    """All that can be asked of a guest's operating system."""
