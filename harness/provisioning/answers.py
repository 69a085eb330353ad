"""What an unattended installation is told, whatever the format of its answer file."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from harness.errors import HarnessError
from harness.profiles.hardware import DiskBus, Firmware
from harness.profiles.model import Profile
from harness.provisioning.certificate import Certificate
from harness.provisioning.passwords import hash_password

PLAIN_NAME = re.compile(r"[A-Za-z0-9-]+")
"""Host names and tokens are made of these alone, so that every format can hold them."""

DISKS = {DiskBus.VIRTIO: "vda", DiskBus.SCSI: "sda", DiskBus.SATA: "sda", DiskBus.IDE: "sda"}
"""What Linux calls the first disk of a bus (before 2.6.28 `hda` on IDE: see `linux_disk`)."""

BSD_DISKS = {
    DiskBus.VIRTIO: "vtbd0",
    DiskBus.SCSI: "da0",
    DiskBus.SATA: "ada0",
    DiskBus.IDE: "ada0",
}


@dataclass(frozen=True)
class Mirror:
    """Where the installer gets its packages: an HTTP address, and the proxy that leads there."""

    address: str
    proxy: str

    @property
    def parts(self) -> SplitResult:
        """The address in its parts."""
        return urlsplit(self.address)


@dataclass(frozen=True)
class Answers:
    """One installation's answers. Raises HarnessError where a name can not be one everywhere.

    The account made here is for the installation alone: its password is made anew for each and kept
    nowhere; every run gives the guest a password of its own.
    """

    profile: Profile
    firmware: Firmware
    host_name: str
    token: str  # what the installed system says at its first boot, and nothing before it can know
    password: str = field(repr=False)
    full_name: str = "guestcert"
    mirror: Mirror | None = None
    product_key: str | None = field(default=None, repr=False)
    certificate: Certificate | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in (self.host_name, self.token):
            if not PLAIN_NAME.fullmatch(name):
                raise HarnessError(f"{name!r} can not stand in every answer file")

    @property
    def line_name(self) -> str:
        """The full name in one line, without what /etc/passwd separates by."""
        words = re.sub(r"[:,\x00-\x1f\x7f]", " ", self.full_name).split()
        return " ".join(words) or self.profile.login

    @property
    def password_hash(self) -> str:
        """A crypt(3) hash that the system knows: SHA-512, or MD5 where its libc is too old."""
        scheme = "1" if self.profile.id.startswith("sles-10") else "6"
        return hash_password(self.password, scheme)

    @property
    def disk(self) -> str:
        """The root disk, as the installer's kernel calls it."""
        bus = self.profile.hardware.disk_bus
        if self.profile.family == "freebsd":
            return BSD_DISKS[bus]
        old = self.profile.id.startswith(("sles-10", "rhel-5", "centos-5"))
        return "hda" if old and bus is DiskBus.IDE else DISKS[bus]

    @property
    def release(self) -> tuple[int, ...]:
        """The release's numbers, to be compared: (15, 7) for 15-sp7; empty for a rolling one."""
        return tuple(int(number) for number in re.findall(r"\d+", self.profile.release))


def new_token() -> str:
    """A token for one installation."""
    return secrets.token_hex(16)


def new_password() -> str:
    """A password that satisfies every system's rules."""
    return f"Gc1-{secrets.token_urlsafe(18)}"
