"""The answers of an unattended installation, independent of the answer file's format."""

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
"""The characters of host names and tokens: every answer file can hold them unescaped."""

DISKS = {DiskBus.VIRTIO: "vda", DiskBus.SCSI: "sda", DiskBus.SATA: "sda", DiskBus.IDE: "sda"}
"""Linux's name of a bus' first disk (`hda` on IDE before 2.6.28: see `Answers.disk`)."""

BSD_DISKS = {
    DiskBus.VIRTIO: "vtbd0",
    DiskBus.SCSI: "da0",
    DiskBus.SATA: "ada0",
    DiskBus.IDE: "ada0",
}


@dataclass(frozen=True)
class Mirror:
    """The installer's package mirror: its HTTP address, and the proxy for it."""

    address: str
    proxy: str

    @property
    def parts(self) -> SplitResult:
        """The parsed address."""
        return urlsplit(self.address)


@dataclass(frozen=True)
class Answers:
    """One installation's answers. Raises HarnessError if a name is not valid in every format.

    The account is for the installation only: its password is generated each time and not stored;
    every run sets another password in the guest.
    """

    profile: Profile
    firmware: Firmware
    host_name: str
    token: str  # printed by the installed system at its first boot; unknown to anything before it
    password: str = field(repr=False)
    full_name: str = "guestcert"
    mirror: Mirror | None = None
    product_key: str | None = field(default=None, repr=False)
    certificate: Certificate | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in (self.host_name, self.token):
            if not PLAIN_NAME.fullmatch(name):
                raise HarnessError(f"{name!r} does not fit every answer file")

    @property
    def line_name(self) -> str:
        """The full name in one line, without the separators of /etc/passwd."""
        words = re.sub(r"[:,\x00-\x1f\x7f]", " ", self.full_name).split()
        return " ".join(words) or self.profile.login

    @property
    def password_hash(self) -> str:
        """A crypt(3) hash that the system supports: SHA-512, or MD5 if its libc is too old."""
        scheme = "1" if self.profile.id.startswith("sles-10") else "6"
        return hash_password(self.password, scheme)

    @property
    def disk(self) -> str:
        """The root disk's name in the installer's kernel."""
        bus = self.profile.hardware.disk_bus
        if self.profile.family == "freebsd":
            return BSD_DISKS[bus]
        old = self.profile.id.startswith(("sles-10", "rhel-5", "centos-5"))
        return "hda" if old and bus is DiskBus.IDE else DISKS[bus]

    @property
    def release(self) -> tuple[int, ...]:
        """The release as comparable numbers: (15, 7) for 15-sp7; empty for a rolling release."""
        return tuple(int(number) for number in re.findall(r"\d+", self.profile.release))


def new_token() -> str:
    """A random token for one installation."""
    return secrets.token_hex(16)


def new_password() -> str:
    """A random password that satisfies every system's password policy."""
    return f"Gc1-{secrets.token_urlsafe(18)}"
