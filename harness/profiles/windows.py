"""What Windows Setup is told of a release: facts that no other system has."""

from __future__ import annotations

from pydantic import Field

from harness.profiles.documents import Document
from harness.profiles.identity import Builds


class WindowsSetup(Document):
    """`key` is a generic one that the vendor publishes; it lets Setup go on, and activates nothing.

    `image`: the edition's name in the medium's install.wim (none before Vista). `drivers`: the
    release's folder on the virtio-win medium, where that has one. `builds` and `server` are how
    the installed system names itself.
    """

    kernel: str = Field(pattern=r"^\d+\.\d+$")  # of Windows NT
    builds: Builds
    server: bool = False
    image: str | None = None
    drivers: str | None = None
    key: str | None = Field(default=None, pattern=r"^([A-Z0-9]{5}-){4}[A-Z0-9]{5}$")
    source: str

    @property
    def version(self) -> tuple[int, int]:
        """The kernel's version, to be compared: (6, 0) is Vista's."""
        major, minor = self.kernel.split(".")
        return int(major), int(minor)
