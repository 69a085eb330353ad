"""The guest OS interface: every operation that a guest's operating system offers to a case.

`guest.os` is one of the implementations of GuestOs. An operation is named after its result; names
of drivers and SMBIOS strings are Linux's. Every operation queries the guest again, and raises
ChannelError where the guest returns nothing or something malformed, and NotApplicable where this
operating system does not have the thing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from harness.channels.base import CommandResult
from harness.errors import HarnessError
from harness.guests.background import CarriedProgram
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
    """A processor's place in the topology, by the kernel's numbers; cores count within a socket."""

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
    """An operating system's record of itself, in os-release's terms.

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
    """Raise HarnessError for an argument that a boot loader would not pass on unchanged."""
    if not KERNEL_ARGUMENT.fullmatch(argument):
        raise HarnessError(f"{argument!r} is not a plain kernel argument")


class Ending(StrEnum):
    """The ways in which an operating system goes down by itself."""

    REBOOT = "reboot"
    POWER_OFF = "power off"


class Lifecycle(Protocol):
    """Boot, uptime, shutdown."""

    def boot_id(self) -> str:
        """Boot ID: unique to this boot; a new one proves a reboot."""

    def uptime(self) -> float:
        """Seconds since boot by the guest's own clock, which stands while it is paused."""

    def clock(self) -> float:
        """Seconds since 1970 by the guest's clock."""

    def startup(self) -> tuple[float, float]:
        """Seconds that the kernel took to start, and all services after it; 0 where unknown."""

    def settled(self) -> str:
        """Wait some time for the end of start-up; returns what is still pending, or ""."""

    def sync(self) -> None:
        """Sync all file systems to their disks."""

    def power_off(self) -> None:
        """Ask for power-off from inside; returns at once."""

    def reboot(self) -> None:
        """Ask for a reboot from inside; returns at once."""

    def ended_cleanly(self, console_output: bytes, ending: Ending) -> bool:
        """Whether the system last went down by itself, by its log or by this console output."""

    def crash(self, *, after: int) -> None:
        """Crash the kernel `after` so many seconds; returns at once."""

    def hang(self) -> None:
        """Occupy every processor, two seconds from now, so that nothing else is scheduled."""


class Product(Protocol):
    """The system's release and its installed packages."""

    def os_release(self) -> OsRelease:
        """Release, edition, kernel and architecture, by the system's own record."""

    def packages(self, *, limit: int) -> list[str]:
        """Every installed package with its version, sorted; cut off after `limit` bytes."""


class Log(Protocol):
    """The system's log, and its services."""

    @property
    def log_rules(self) -> LogRules:
        """The rules by which its records are classified."""

    @property
    def recent_log(self) -> tuple[str, ...]:
        """The program, with its arguments, that prints the newest part of the log."""

    def kernel_log(self) -> list[LogLine]:
        """The log of this boot, with levels."""

    def running_units(self) -> set[str]:
        """The services that run and should keep running."""

    def failed_units(self) -> list[str]:
        """The services that have failed since boot."""


class CpuMemory(Protocol):
    """Processors and memory."""

    def cpus_online(self) -> int:
        """The number of processors that the scheduler uses."""

    def cpus_present(self) -> int:
        """The number of processors that the machine has."""

    def missing_flags(self, expected: set[str]) -> set[str]:
        """The flags, by libvirt's names, that the system does not find."""

    def processors(self) -> list[Processor]:
        """Every online processor, with its place in the topology."""

    def numa_nodes(self) -> dict[int, tuple[int, int]]:
        """Processors and bytes of memory of each NUMA node."""

    def runs_on(self, processor: int) -> int:
        """The number of the processor on which a thread bound to this one runs."""

    def memory_available(self) -> int:
        """Bytes that programs can still allocate, by the kernel's own estimate."""

    def memory_total(self) -> int:
        """Bytes of memory that the kernel manages."""

    def load(self) -> float:
        """How busy the processors were in the last seconds; 0 is idle."""


class Devices(Protocol):
    """The machine's devices."""

    def disks(self) -> list[GuestDisk]:
        """Every disk that has a device behind it."""

    def disk_drivers(self, name: str) -> list[str]:
        """The drivers of a disk and of its parent devices, from the disk up to its bus."""

    def root_device(self) -> str:
        """The name of the disk with the root file system."""

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
        """Whether a driver of this name exists for a device that ACPI describes."""

    def unload_driver(self, driver: str) -> bool:
        """Detach a driver from its devices; returns whether that succeeded."""

    def load_driver(self, driver: str) -> bool:
        """Attach a driver to its devices; returns whether that succeeded."""


class Network(Protocol):
    """Routes, name resolution, identity on the network."""

    def default_routes(self) -> list[str]:
        """The gateways of IPv4's default routes."""

    def resolve(self, name: str) -> list[str]:
        """The addresses of a name by the guest's resolver; empty where it returns none."""

    def identity(self) -> dict[str, set[str]]:
        """The values that must differ between guests of one image, by their names."""


class Firmware(Protocol):
    """Firmware, its variables, and the TPM."""

    def is_uefi(self) -> bool:
        """Whether the kernel was started through UEFI."""

    def knows_firmware(self) -> bool:
        """Whether the system reports anything about its firmware: the control for `is_uefi`."""

    def uefi_variable(self, name: str, vendor: str) -> bytes:
        """A UEFI variable's data, without its attributes; empty where it does not exist."""

    def set_uefi_variable(self, name: str, vendor: str, data: bytes) -> None:
        """Create a variable: non-volatile, for boot services and the running system."""

    def secure_boot(self) -> bool:
        """Whether the kernel itself reports that Secure Boot is on."""

    def tpm_version(self) -> int:
        """The TPM's major version; 0 without a TPM."""

    def tpm_exchange(self, command: bytes) -> bytes:
        """The chip's response to a raw command."""

    def add_boot_argument(self, argument: str) -> None:
        """Add an argument to the kernel's command line from the next boot on."""

    def has_boot_argument(self, argument: str) -> bool:
        """Whether the running kernel has it on its command line."""


class Storage(Protocol):
    """Files, raw disks, hibernation."""

    def root_is_writable(self) -> bool:
        """Whether the root file system is writable."""

    def write_file(self, name: str, text: str) -> None:
        """Write a line into a file of that name, and sync it."""

    def read_file(self, name: str) -> str:
        """The file's content; the system's error message where the file does not exist."""

    def write_marker(self, name: str) -> None:
        """Leave a marker on the disk and another in memory."""

    def markers_on_disk(self) -> set[str]:
        """The names of the markers there."""

    def markers_in_memory(self) -> set[str]:
        """The names of the markers there."""

    def fill_file(self, mark: str) -> int:
        """Fill a file with the mark and sync it; returns its first sector on the disk."""

    def has_marker_file(self) -> bool:
        """Whether the file that `fill_file` makes exists."""

    def disk_holds(self, mark: str, *, start: int, mebibytes: int) -> bool:
        """Whether the raw root disk contains the mark, from byte `start` on."""

    def bytes_not_zero(self, disk: str, mebibytes: int) -> int:
        """Non-zero bytes in the first `mebibytes` MiB of the raw disk of this name."""

    def prepare_hibernation(self, serial: str) -> None:
        """Prepare hibernation to the blank disk with that serial, effective after the next boot."""

    def enable_hibernation(self, serial: str) -> bool:
        """Finish the preparation after that boot; returns whether the system can resume from it."""


class Background(Protocol):
    """Programs in the background: carried into the guest, started, read, stopped."""

    def install_program(self, program: CarriedProgram) -> None:
        """Make a program ready to start.

        Raises HarnessError where the guest lacks its interpreter, NotApplicable where the program
        has no version for this operating system.
        """

    def start_program(
        self,
        program: CarriedProgram,
        output: str,
        arguments: Sequence[str],
        *,
        on_disk: bool = False,
    ) -> int:
        """Start an installed program; returns its process id.

        `output` names its output, which survives a reboot if it is on the disk.
        """

    def program_output(self, output: str, *, limit: int, on_disk: bool = False) -> str:
        """The newest `limit` bytes of an output; empty where it is missing."""

    def stop_program(self, process: int) -> None:
        """Ask a program to end; idempotent."""

    def runs(self, argument: str) -> bool:
        """Whether a process with this argument runs."""


class Programs(Protocol):
    """Programs of the system for cases that are about running programs."""

    def succeeding(self) -> Program:
        """A program that prints nothing and exits with 0."""

    def saying(self, output: str, errors: str, *, status: int) -> Program:
        """A program that prints a line on both streams and exits with a status."""

    def random_mebibyte(self) -> Program:
        """A program that prints a MiB of random bytes; the first word on stderr: their SHA-256."""

    def lasting(self, name: str) -> Program:
        """A program that runs for ten minutes with `name` among its arguments."""


class GuestOs(
    Lifecycle,
    Product,
    Log,
    CpuMemory,
    Devices,
    Network,
    Firmware,
    Storage,
    Background,
    Programs,
    Protocol,
):
    """The complete guest OS interface."""
