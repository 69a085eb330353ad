"""Release and installed packages."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from harness.errors import ChannelError, NotApplicable
from harness.guests.answers import fields, texts
from harness.guests.linux.shell import LinuxShell
from harness.guests.windows.powershell import WindowsShell


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


LINE_LIMIT = 1024
"""Characters of a line that is read; the longest true one names a web address."""

RELEASE = r"""uname -s; uname -r; uname -m
freebsd-version -u 2>/dev/null || echo -
od -An -tu1 -j4 -N1 /bin/sh; od -An -tu1 -j18 -N1 /bin/sh
for f in /etc/os-release /usr/lib/os-release /etc/redhat-release /etc/SuSE-release \
/etc/lsb-release /etc/debian_version; do
[ -e "$f" ] || continue; echo "=${f##*/}"; head -c 4096 "$f"; echo; done; :"""
"""uname's fields, FreeBSD's userland, the ELF class and machine of /bin/sh, and the files."""

MACHINES = {"amd64": "x86_64", "i386": "i686", "i486": "i686", "i586": "i686", "arm64": "aarch64"}
"""Other names of the kernels' architectures; FreeBSD's and old Linux's."""

BUILT_FOR = {("2", "62"): "x86_64", ("1", "3"): "i686", ("2", "183"): "aarch64"}
"""Class and machine (its low byte) in the head of an ELF file. Source: elf(5)."""

RED_HAT = {"Red Hat Enterprise Linux": "rhel", "CentOS": "centos", "Fedora": "fedora"}
"""What the text in /etc/redhat-release begins with, and the ID that os-release has for it."""

PACKAGES = r"""if command -v dpkg-query >/dev/null; then
dpkg-query -W -f '${binary:Package} ${Version} ${Architecture}\n'
elif command -v rpm >/dev/null; then rpm -qa --qf '%{NAME} %{VERSION}-%{RELEASE} %{ARCH}\n'
elif command -v apk >/dev/null; then apk info -v 2>/dev/null
elif command -v pkg >/dev/null; then pkg query '%n %v %q'
else echo =; fi | sort | head -c "$1" """
"""One package a line, by the package manager that the guest has."""

CLIENT = 1
"""Win32_OperatingSystem.ProductType of a client; 2 is a domain controller, 3 a server."""

ARCHITECTURES = {"AMD64": "x86_64", "x86": "i686", "ARM64": "aarch64"}
"""Windows' own names. Source: the environment of its Session Manager in the registry."""


class Product(Protocol):
    """Release and installed packages."""

    def release(self) -> OsRelease:
        """Release, edition, kernel and architecture, by the system's own record."""

    def packages(self, *, limit: int) -> list[str]:
        """Every installed package with its version, sorted; cut off after `limit` bytes."""


class LinuxProduct(LinuxShell):
    """See Product."""

    def release(self) -> OsRelease:
        """Its record of itself: /etc/os-release, or the vendor's older file."""
        return release_of(self.sh(RELEASE))

    def packages(self, *, limit: int) -> list[str]:
        """Every installed package with its version, sorted; `limit` is in bytes of all."""
        lines = self.sh(PACKAGES, str(limit), seconds=60).splitlines()
        if lines == ["="]:
            raise NotApplicable("the guest has none of dpkg, rpm, apk and pkg")
        return lines


class WindowsProduct(WindowsShell):
    """See Product."""

    def release(self) -> OsRelease:
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


def release_of(text: str) -> OsRelease:
    """The release that the script's output describes; raises ChannelError for another output."""
    head, *files = re.split(r"^=(?=[\w-]+$)", text, flags=re.MULTILINE)
    facts = [line.strip() for line in head.splitlines()]
    if len(facts) < 6:
        raise ChannelError(f"the guest does not name its kernel and architecture: {head[:80]!r}")
    system, kernel, machine, userland, elf_class, elf_machine = facts[:6]
    names: dict[str, str] = {}
    for name, _, body in (file.partition("\n") for file in files):
        names.setdefault(name, body)  # /etc/os-release before the vendor's own
    if system == "FreeBSD":
        version = userland if userland != "-" else kernel
        released = re.fullmatch(r"(\d+\.\d+)-RELEASE(?:-p\d+)?", version)
        distribution, name = "freebsd", "FreeBSD"
        release, title = (released[1] if released else version), f"FreeBSD {version}"
    else:
        distribution, name, release, title = _distribution(names)
    return OsRelease(
        system=system,
        distribution=distribution,
        name=name,
        release=release,
        title=title,
        kernel=kernel,
        kernel_architecture=MACHINES.get(machine, machine),
        architecture=BUILT_FOR.get((elf_class, elf_machine), f"ELF {elf_class}/{elf_machine}"),
    )


def _distribution(files: Mapping[str, str]) -> tuple[str, str, str, str]:
    """ID, NAME, VERSION_ID and PRETTY_NAME, or what an older system has for them."""
    known = _assignments(files.get("os-release", ""))
    if known.get("ID"):
        release = known.get("VERSION_ID") or _unreleased(files.get("debian_version", ""))
        title = known.get("PRETTY_NAME") or f"{known.get('NAME', known['ID'])} {release}"
        return known["ID"], known.get("NAME", ""), release, title
    first = _first_line(files.get("redhat-release", ""))
    if match := re.match(r"(.{1,80}?) release (\d+(?:\.\d+)*)", first):
        ids = (id_ for name, id_ in RED_HAT.items() if match[1].startswith(name))
        return next(ids, match[1]), match[1], match[2], first
    first = _first_line(files.get("SuSE-release", ""))
    if first:
        return _suse(first, _assignments(files["SuSE-release"]))
    lsb = _assignments(files.get("lsb-release", ""))
    if lsb.get("DISTRIB_ID"):
        name, release = lsb["DISTRIB_ID"], lsb.get("DISTRIB_RELEASE", "")
        return name.lower(), name, release, lsb.get("DISTRIB_DESCRIPTION") or f"{name} {release}"
    first = _first_line(files.get("debian_version", ""))
    if first:
        release = _unreleased(first) or first
        return "debian", "Debian GNU/Linux", release, f"Debian GNU/Linux {first}"
    return "", "", "", "a system without a release file"


def _suse(title: str, known: Mapping[str, str]) -> tuple[str, str, str, str]:
    ids = {"SUSE Linux Enterprise Server": "sles", "SUSE Linux Enterprise Desktop": "sled"}
    distribution = next((id_ for name, id_ in ids.items() if title.startswith(name)), title)
    level = known.get("PATCHLEVEL", "0")
    release = known.get("VERSION", "") + (f".{level}" if level != "0" else "")
    return distribution, title, release, f"{title} SP{level}" if level != "0" else title


def _unreleased(debian_version: str) -> str:
    """`sid` for Debian's testing and unstable, which write `trixie/sid`; else empty."""
    return "sid" if _first_line(debian_version).endswith("/sid") else ""


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:LINE_LIMIT].strip() if text.strip() else ""


def _assignments(text: str) -> dict[str, str]:
    """The variables of a file of `NAME=value` lines, quoted as for a shell, or with ` = `."""
    known = {}
    for line in text.splitlines():
        name, equals, value = line[:LINE_LIMIT].partition("=")
        if not equals or line.lstrip().startswith("#"):
            continue
        try:
            known[name.strip()] = " ".join(shlex.split(value))
        except ValueError:  # a quote that is not closed
            known[name.strip()] = value.strip()
    return known
