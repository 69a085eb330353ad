"""The answer files of each installation method, their locations, and how the installer starts.

Sources: the installation guide of each vendor; the templates name them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from harness.errors import UsageError
from harness.profiles.model import Method
from harness.provisioning.answers import Answers
from harness.provisioning.escaping import AnswerFormat
from harness.provisioning.rendering import render


class Location(StrEnum):
    """The location where an installer looks for a file."""

    INITRD = "initrd"  # the root of the installer's first file system
    CD = "cd"  # the root of the CD that guestcert creates
    FLOPPY = "floppy"  # A:\\
    MEDIUM = "medium"  # a copy of the vendor's medium


@dataclass(frozen=True)
class AnswerFile:
    """A file for an installer, with its exact bytes; `path` has no leading slash."""

    location: Location
    path: str
    content: bytes


@dataclass(frozen=True)
class InstallerStart:
    """How an installer starts: kernel and initrd on the vendor's medium, and the command line.

    Without a kernel the firmware boots the medium; `keys`: that needs a key press.
    """

    kernel: tuple[str, ...] = ()  # the first of these that exists
    initrd: tuple[str, ...] = ()
    command_line: str = ""
    keys: bool = False


@dataclass(frozen=True)
class AnswerSet:
    """All input of an installation; `label`: the volume id of the CD with answer files."""

    files: tuple[AnswerFile, ...]
    start: InstallerStart
    label: str = "GUESTCERT"


CONSOLE = "console=tty0 console=ttyS0,115200"


def answer_set(method: Method, answers: Answers, folder: Path | None = None) -> AnswerSet:
    """The rendered answer files of a method; `folder` has the user's templates.

    Raises UsageError if the method is not an installation, or a value does not fit its format.
    """
    if method not in METHODS:
        known = ", ".join(METHODS)
        raise UsageError(f"{method} is not an installation", remedy=f"choose one of {known}")
    return METHODS[method](answers, folder)


def _preseed(answers: Answers, folder: Path | None) -> AnswerSet:
    text = render("preseed.cfg.j2", AnswerFormat.PRESEED, answers, folder)
    # The installed system's boot loader gets what follows the dashes.
    command_line = f"auto=true priority=critical DEBIAN_FRONTEND=text --- {CONSOLE}"
    start = InstallerStart(
        ("install.amd/vmlinuz", "install.386/vmlinuz", "install/vmlinuz"),
        ("install.amd/initrd.gz", "install.386/initrd.gz", "install/initrd.gz"),
        command_line,
    )
    return AnswerSet((AnswerFile(Location.INITRD, "preseed.cfg", text.encode()),), start)


def _autoinstall(answers: Answers, folder: Path | None) -> AnswerSet:
    text = render("user-data.j2", AnswerFormat.JSON, answers, folder)
    files = (
        AnswerFile(Location.CD, "user-data", text.encode()),
        AnswerFile(Location.CD, "meta-data", f"instance-id: {answers.host_name}\n".encode()),
    )
    command_line = f"autoinstall --- {CONSOLE}"
    return AnswerSet(
        files, InstallerStart(("casper/vmlinuz",), ("casper/initrd",), command_line), label="CIDATA"
    )


def _kickstart(answers: Answers, folder: Path | None) -> AnswerSet:
    text = render("ks.cfg.j2", AnswerFormat.KICKSTART, answers, folder)
    kernel, initrd = ("images/pxeboot/vmlinuz",), ("images/pxeboot/initrd.img",)
    if answers.profile.family != "fedora" and answers.release[0] < 7:
        # Anaconda finds a volume by its label since version 19.
        file = AnswerFile(Location.INITRD, "ks.cfg", text.encode())
        command_line = f"ks=file:/ks.cfg text {CONSOLE}"
        if answers.release[0] == 6:
            command_line += " cmdline"
        return AnswerSet((file,), InstallerStart(kernel, initrd, command_line))
    file = AnswerFile(Location.CD, "ks.cfg", text.encode())
    command_line = f"inst.ks=hd:LABEL=OEMDRV:/ks.cfg inst.text inst.cmdline {CONSOLE}"
    return AnswerSet((file,), InstallerStart(kernel, initrd, command_line), label="OEMDRV")


def _autoyast(answers: Answers, folder: Path | None) -> AnswerSet:
    text = render("autoinst.xml.j2", AnswerFormat.XML, answers, folder)
    file = AnswerFile(Location.INITRD, "autoinst.xml", text.encode())
    command_line = f"autoyast=file:///autoinst.xml textmode=1 {CONSOLE}"
    start = InstallerStart(
        ("boot/x86_64/loader/linux", "boot/i386/loader/linux"),
        ("boot/x86_64/loader/initrd", "boot/i386/loader/initrd"),
        command_line,
    )
    return AnswerSet((file,), start)


def _agama(answers: Answers, folder: Path | None) -> AnswerSet:
    text = render("autoinst.json.j2", AnswerFormat.JSON, answers, folder)
    file = AnswerFile(Location.CD, "autoinst.json", text.encode())
    command_line = (
        "root=live:CDLABEL=Install-SLES rd.live.image"
        f" inst.auto=label://OEMDRV/autoinst.json inst.finish=poweroff {CONSOLE}"
        # Its services log to the journal only, which is lost after a failure.
        " systemd.journald.forward_to_console=1"
    )
    kernel, initrd = ("boot/x86_64/loader/linux",), ("boot/x86_64/loader/initrd",)
    return AnswerSet((file,), InstallerStart(kernel, initrd, command_line), label="OEMDRV")


def _bsdinstall(answers: Answers, folder: Path | None) -> AnswerSet:
    text = render("installerconfig.j2", AnswerFormat.SHELL, answers, folder)
    # The installer uses the serial port only if its loader is configured for it.
    loader = 'boot_multicons="YES"\nboot_serial="YES"\nconsole="comconsole,vidconsole"\n'
    files = (
        AnswerFile(Location.MEDIUM, "etc/installerconfig", text.encode()),
        AnswerFile(Location.MEDIUM, "boot/loader.conf.local", loader.encode()),
    )
    return AnswerSet(files, InstallerStart())


WINDOWS_FILES = ("setup.cmd", "again.reg", "done.reg", "power.vbs")


def _autounattend(answers: Answers, folder: Path | None) -> AnswerSet:
    text = render("Autounattend.xml.j2", AnswerFormat.XML, answers, folder)
    files = [AnswerFile(Location.CD, "Autounattend.xml", _with_windows_line_ends(text, "utf-8"))]
    files += _windows_scripts(Location.CD, answers, folder)
    if answers.certificate is not None:
        files.append(AnswerFile(Location.CD, "guestcert/winrm.pfx", answers.certificate.pfx))
    return AnswerSet(tuple(files), InstallerStart(keys=True))


def _winnt_sif(answers: Answers, folder: Path | None) -> AnswerSet:
    text = render("winnt.sif.j2", AnswerFormat.INI, answers, folder)
    files = [AnswerFile(Location.FLOPPY, "winnt.sif", _with_windows_line_ends(text, "cp1252"))]
    files += _windows_scripts(Location.FLOPPY, answers, folder)
    return AnswerSet(tuple(files), InstallerStart())


def _windows_scripts(location: Location, answers: Answers, folder: Path | None) -> list[AnswerFile]:
    return [
        AnswerFile(
            location,
            f"guestcert/{name}",
            _with_windows_line_ends(
                render(f"{name}.j2", AnswerFormat.BATCH, answers, folder), "ascii"
            ),
        )
        for name in WINDOWS_FILES
    ]


def _with_windows_line_ends(text: str, encoding: str) -> bytes:
    """Text with CR LF in its reader's code page. Raises UsageError if a character is not in it."""
    try:
        return "\r\n".join(text.splitlines()).encode(encoding) + b"\r\n"
    except UnicodeEncodeError as error:
        character = error.object[error.start : error.end]
        raise UsageError(
            f"{character!r} is not in {encoding}, the code page in which Setup reads answer files",
            remedy="use Western European letters in names and passwords",
        ) from error


METHODS: Mapping[Method, Callable[[Answers, Path | None], AnswerSet]] = {
    Method.PRESEED: _preseed,
    Method.AUTOINSTALL: _autoinstall,
    Method.KICKSTART: _kickstart,
    Method.AUTOYAST: _autoyast,
    Method.AGAMA: _agama,
    Method.BSDINSTALL: _bsdinstall,
    Method.AUTOUNATTEND: _autounattend,
    Method.WINNT_SIF: _winnt_sif,
}
"""The answer files of each installation method; the other methods install nothing."""
