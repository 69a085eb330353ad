"""Facts of a release for Windows Setup."""

from __future__ import annotations

from pydantic import Field

from harness.profiles.documents import Document
from harness.profiles.identity import Builds


class WindowsSetup(Document):
    """`key`: a generic key that the vendor publishes; Setup accepts it, and it does not activate.

    `image`: the edition's name in the medium's install.wim (none before Vista). `drivers`: the
    release's folder on the virtio-win medium, if that has one. `builds` and `server` identify the
    installed system.
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
        """The kernel's comparable version: (6, 0) is Vista's."""
        major, minor = self.kernel.split(".")
        return int(major), int(minor)
