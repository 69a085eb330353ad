"""GuestOs: the topics of which the guest OS interface is composed.

`guest.os` is one of its implementations. An operation is named after its result; names of drivers
and SMBIOS strings are Linux's. Every operation queries the guest again, and raises ChannelError
where the guest returns nothing or something malformed, and NotApplicable where this operating
system does not have the thing.
"""

from __future__ import annotations

from typing import Protocol

from harness.guests.os.background import Background
from harness.guests.os.cpus import Cpus
from harness.guests.os.devices import Devices
from harness.guests.os.disks import Disks
from harness.guests.os.files import Files
from harness.guests.os.firmware import Firmware
from harness.guests.os.hibernation import Hibernation
from harness.guests.os.lifecycle import Lifecycle
from harness.guests.os.log import Log
from harness.guests.os.memory import Memory
from harness.guests.os.network import Network
from harness.guests.os.product import Product
from harness.guests.os.programs import Programs
from harness.guests.os.services import Services
from harness.guests.os.tpm import Tpm


class GuestOs(Protocol):
    """A guest's operating system, by topics."""

    @property
    def lifecycle(self) -> Lifecycle:
        """Boot, clock and power of a guest's operating system."""
        ...

    @property
    def product(self) -> Product:
        """Release and installed packages."""
        ...

    @property
    def log(self) -> Log:
        """The system's log."""
        ...

    @property
    def services(self) -> Services:
        """The system's services."""
        ...

    @property
    def cpus(self) -> Cpus:
        """Processors."""
        ...

    @property
    def memory(self) -> Memory:
        """Memory."""
        ...

    @property
    def disks(self) -> Disks:
        """Disks, and the bytes on them."""
        ...

    @property
    def devices(self) -> Devices:
        """Devices and their drivers."""
        ...

    @property
    def network(self) -> Network:
        """Network cards, routes, name resolution, identity."""
        ...

    @property
    def firmware(self) -> Firmware:
        """Firmware, its variables, and the kernel's command line."""
        ...

    @property
    def tpm(self) -> Tpm:
        """The TPM, by raw commands."""
        ...

    @property
    def files(self) -> Files:
        """Files and markers."""
        ...

    @property
    def hibernation(self) -> Hibernation:
        """Preparation of hibernation."""
        ...

    @property
    def background(self) -> Background:
        """Programs in the background: carried into the guest, started, read, stopped."""
        ...

    @property
    def programs(self) -> Programs:
        """Programs of the system for cases that run programs."""
        ...
