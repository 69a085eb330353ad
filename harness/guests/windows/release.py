"""Which Windows a guest is, by its registry and CIM."""

from __future__ import annotations

from harness.errors import ChannelError
from harness.guests.answers import fields, texts
from harness.guests.os import OsRelease
from harness.guests.windows.powershell import WindowsShell

CLIENT = 1
"""Win32_OperatingSystem.ProductType of a client; 2 is a domain controller, 3 a server."""

ARCHITECTURES = {"AMD64": "x86_64", "x86": "i686", "ARM64": "aarch64"}
"""Windows' own names. Source: the environment of its Session Manager in the registry."""


class WindowsRelease(WindowsShell):
    """See harness.guests.os.Product."""

    def os_release(self) -> OsRelease:
        """Its record of itself; `release` is the build number, `edition` the EditionID."""
        known = fields(self.ask("release"), "record of its release")
        build = known.number("build")
        if not build:
            raise ChannelError("the guest's record of its release has no build number")
        machine = known.text("architecture")
        architecture = ARCHITECTURES.get(machine, machine)
        server = known.number("kind") != CLIENT
        return OsRelease(
            system="Windows",
            distribution="windows-server" if server else "windows",
            name=known.text("product"),
            release=str(build),
            title=f"{known.text('caption')}, build {build}.{known.number('revision')}",
            kernel=f"{known.text('version')}.{known.number('revision')}",
            kernel_architecture=architecture,
            architecture=architecture,
            edition=known.text("edition"),
        )

    def packages(self, *, limit: int) -> list[str]:
        """Every installed update and program with its version, sorted."""
        lines = texts(self.ask("packages", str(limit)), "list of packages")
        return sorted(lines)
