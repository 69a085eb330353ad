"""Which answer files an installation method has, where its installer looks, and how it is started.

Sources: the installation guide of each vendor, as the templates name them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from harness.errors import UsageError
from harness.profiles.model import Method
from harness.provisioning.answers import Answers
from harness.provisioning.escaping import Format
from harness.provisioning.rendering import render


class Location(StrEnum):
    """Where an installer looks for a file."""

    INITRD = "initrd"  # the root of the installer's first file system
    CD = "cd"  # the root of a CD of ours
    FLOPPY = "floppy"  # A:\\
    MEDIUM = "medium"  # the vendor's medium itself, of which a copy is made


@dataclass(frozen=True)
class AnswerFile:
    """A file for an installer; `path` has no leading slash. Its content is meant for bytes."""

    place: Location
    path: str
    content: bytes


@dataclass(frozen=True)
class Start:
    """How an installer is started: its kernel and initrd on the vendor's medium, and their words.

    Without a kernel the medium is booted by the firmware; `keys`: it wants one pressed for that.
    """

    kernel: tuple[str, ...] = ()  # the first of these that is there
    initrd: tuple[str, ...] = ()
    command_line: str = ""
    keys: bool = False


@dataclass(frozen=True)
class AnswerSet:
    """Everything that an installation is given; `label`: the volume id of our CD."""

    files: tuple[AnswerFile, ...]
    start: Start
    label: str = "GUESTCERT"


CONSOLE = "console=tty0 console=ttyS0,115200"


def answer_set(method: Method, answers: Answers, folder: Path | None = None) -> AnswerSet:
    """The answer files of a method, rendered; `folder` has the user's own templates.

    Raises UsageError where the method installs nothing, or a value fits no answer file.
    """
    if method not in METHODS:
        known = ", ".join(METHODS)
        raise UsageError(f"{method} is no installation", remedy=f"one of {known}")
    return METHODS[method](answers, folder)


def _preseed(answers: Answers, folder: Path | None) -> AnswerSet:
    text = render("preseed.cfg.j2", Format.PRESEED, answers, folder)
    # What stands after the dashes goes to the installed system's boot loader too.
    words = f"auto=true priority=critical DEBIAN_FRONTEND=text --- {CONSOLE}"
    start = Start(
        ("install.amd/vmlinuz", "install.386/vmlinuz", "install/vmlinuz"),
        ("install.amd/initrd.gz", "install.386/initrd.gz", "install/initrd.gz"),
        words,
    )
    return AnswerSet((AnswerFile(Location.INITRD, "preseed.cfg", text.encode()),), start)


def _autoinstall(answers: Answers, folder: Path | None) -> AnswerSet:
    text = render("user-data.j2", Format.JSON, answers, folder)
    files = (
        AnswerFile(Location.CD, "user-data", text.encode()),
        AnswerFile(Location.CD, "meta-data", f"instance-id: {answers.host_name}\n".encode()),
    )
    words = f"autoinstall --- {CONSOLE}"
    return AnswerSet(files, Start(("casper/vmlinuz",), ("casper/initrd",), words), label="CIDATA")


def _kickstart(answers: Answers, folder: Path | None) -> AnswerSet:
    text = render("ks.cfg.j2", Format.KICKSTART, answers, folder)
    kernel, initrd = ("images/pxeboot/vmlinuz",), ("images/pxeboot/initrd.img",)
    if answers.profile.family != "fedora" and answers.release[0] < 7:
        # Anaconda takes a volume by its label since version 19 only.
        file = AnswerFile(Location.INITRD, "ks.cfg", text.encode())
        words = f"ks=file:/ks.cfg text {CONSOLE}"
        if answers.release[0] == 6:
            words += " cmdline"
        return AnswerSet((file,), Start(kernel, initrd, words))
    file = AnswerFile(Location.CD, "ks.cfg", text.encode())
    words = f"inst.ks=hd:LABEL=OEMDRV:/ks.cfg inst.text inst.cmdline {CONSOLE}"
    return AnswerSet((file,), Start(kernel, initrd, words), label="OEMDRV")


def _autoyast(answers: Answers, folder: Path | None) -> AnswerSet:
    text = render("autoinst.xml.j2", Format.XML, answers, folder)
    file = AnswerFile(Location.INITRD, "autoinst.xml", text.encode())
    words = f"autoyast=file:///autoinst.xml textmode=1 {CONSOLE}"
    start = Start(
        ("boot/x86_64/loader/linux", "boot/i386/loader/linux"),
        ("boot/x86_64/loader/initrd", "boot/i386/loader/initrd"),
        words,
    )
    return AnswerSet((file,), start)


def _agama(answers: Answers, folder: Path | None) -> AnswerSet:
    text = render("autoinst.json.j2", Format.JSON, answers, folder)
    file = AnswerFile(Location.CD, "autoinst.json", text.encode())
    words = (
        "root=live:CDLABEL=Install-SLES rd.live.image"
        f" inst.auto=label://OEMDRV/autoinst.json inst.finish=poweroff {CONSOLE}"
        # Its services speak to the journal alone, and nobody would hear them.
        " systemd.journald.forward_to_console=1"
    )
    kernel, initrd = ("boot/x86_64/loader/linux",), ("boot/x86_64/loader/initrd",)
    return AnswerSet((file,), Start(kernel, initrd, words), label="OEMDRV")


def _bsdinstall(answers: Answers, folder: Path | None) -> AnswerSet:
    text = render("installerconfig.j2", Format.SHELL, answers, folder)
    # The installer speaks on the serial port only where its own loader is told to.
    loader = 'boot_multicons="YES"\nboot_serial="YES"\nconsole="comconsole,vidconsole"\n'
    files = (
        AnswerFile(Location.MEDIUM, "etc/installerconfig", text.encode()),
        AnswerFile(Location.MEDIUM, "boot/loader.conf.local", loader.encode()),
    )
    return AnswerSet(files, Start())


WINDOWS_FILES = ("setup.cmd", "again.reg", "done.reg", "power.vbs")


def _autounattend(answers: Answers, folder: Path | None) -> AnswerSet:
    text = render("Autounattend.xml.j2", Format.XML, answers, folder)
    files = [AnswerFile(Location.CD, "Autounattend.xml", _with_windows_line_ends(text, "utf-8"))]
    files += _windows_scripts(Location.CD, answers, folder)
    if answers.certificate is not None:
        files.append(AnswerFile(Location.CD, "guestcert/winrm.pfx", answers.certificate.pfx))
    return AnswerSet(tuple(files), Start(keys=True))


def _winnt_sif(answers: Answers, folder: Path | None) -> AnswerSet:
    text = render("winnt.sif.j2", Format.INI, answers, folder)
    files = [AnswerFile(Location.FLOPPY, "winnt.sif", _with_windows_line_ends(text, "cp1252"))]
    files += _windows_scripts(Location.FLOPPY, answers, folder)
    return AnswerSet(tuple(files), Start())


def _windows_scripts(place: Location, answers: Answers, folder: Path | None) -> list[AnswerFile]:
    return [
        AnswerFile(
            place,
            f"guestcert/{name}",
            _with_windows_line_ends(render(f"{name}.j2", Format.BATCH, answers, folder), "ascii"),
        )
        for name in WINDOWS_FILES
    ]


def _with_windows_line_ends(text: str, encoding: str) -> bytes:
    """Text with CR LF in the code page of its reader; UsageError where that lacks a sign."""
    try:
        return "\r\n".join(text.splitlines()).encode(encoding) + b"\r\n"
    except UnicodeEncodeError as error:
        sign = error.object[error.start : error.end]
        raise UsageError(
            f"the sign {sign!r} is not in {encoding}, the code page in which Setup reads answers",
            remedy="use letters of western Europe in names and passwords",
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
"""How each installation method is answered; the other methods install nothing."""
