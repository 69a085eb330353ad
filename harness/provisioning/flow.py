"""Installation flows by method: the states, their markers and deadlines, and known failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.profiles.model import Method


class State(StrEnum):
    """The states of an installation in order; console output identifies each."""

    MEDIUM = "booting the medium"
    INSTALLER = "installer running"
    PACKAGES = "installing packages"
    INSTALLED = "installed"
    FIRST_BOOT = "first boot"
    READY = "ready"


@dataclass(frozen=True)
class Failure:
    """A known failure: its pattern, the problem and the remedy.

    A blank in the pattern matches any white space, as installers wrap lines at the screen's width;
    the rest matches within one line.
    """

    pattern: str
    problem: str
    remedy: str


@dataclass(frozen=True)
class Stage:
    """A state with its console marker and its time limit, in seconds under KVM.

    A state without a marker is skipped: its installer prints nothing on the console.
    """

    state: State
    seconds: float
    marker: str | None = None


@dataclass(frozen=True)
class Flow:
    """An installation flow. `powers_off`: the installer powers off before the first boot."""

    stages: tuple[Stage, ...]
    failures: tuple[Failure, ...]
    powers_off: bool


SETUP = r"guestcert: stage (setup|installed|drivers)"
FIRST_BOOT = r"guestcert: stage (first-boot|drivers)"

NOT_BOOTABLE = Failure(
    r"No bootable device\.|No bootable option or device was found|UEFI Interactive Shell",
    "the medium is not bootable",
    "look with `guestcert media identify FILE`; download the medium again if it is damaged",
)
PANIC = Failure(
    r"Kernel panic - not syncing", "the installer's kernel died", "give the guest more memory"
)

TOO_SMALL = r"\b(disks?|drive|partition|volume|device|space)\b[^.:\n]{0,80}\btoo small"
"""A disk that is too small, not a terminal or anything else."""

WRAPPED = r"[\s\S]{0,80}?"
"""Any text within one sentence of a screen, which may continue in the next line."""

READ_ON = "read the end of the console log for the error"


def _unreadable(pattern: str) -> Failure:
    return Failure(
        pattern,
        "the medium cannot be read",
        "compare its file's checksum with the vendor's, or download it again",
    )


DEBIAN = (
    Failure(
        r"Failed to (process|retrieve) the preconfiguration file",
        "the answer file was rejected",
        "look in the console log for the line, and check your template, if you have one",
    ),
    Failure(
        r"Bad archive mirror|trying to use the specified \w+ archive mirror"
        r"|Downloading a file failed|Failed to download|installer component failed",
        "the mirror cannot be reached, or lacks files that the installer needs",
        "check that this host reaches the recipe's mirror, and that it has this release",
    ),
    Failure(
        r"No (fixed )?disk drive was detected|no partitionable media|No root file system",
        "no disk was found",
        "correct hardware.disk_buses in the profile: the installer lacks the first one's driver",
    ),
    Failure(
        rf"{TOO_SMALL}|Failed to partition the selected disk|No space left on device",
        "the disk is too small",
        "raise hardware.disk_gib in the profile",
    ),
    _unreadable(
        r"problem reading data from the (CD-ROM|installation media)"
        r"|Your installation (CD-ROM|media) couldn't be mounted"
        r"|No (common CD-ROM drive|device for installation media) was detected"
        r"|Failed to copy file from (the )?(CD-ROM|installation media)"
    ),
    Failure(
        r"No kernel modules were found",
        "the mirror has no modules for the installer's kernel",
        "use the installer of the mirror's current release",
    ),
    Failure(
        r"Installation step failed",
        "a step of the installer failed",
        "read the end of the console log",
    ),
    Failure(
        r"Prompt: '\?' for help|\[Press enter to continue\]",
        "the installer asks a question that its answer file does not answer",
        "read the question at the end of the console log, and answer it in your own template",
    ),
)

ANACONDA = (
    Failure(
        r"The following problem occurred on line|Error parsing (the )?kickstart"
        r"|Unknown command:|kickstart file .{0,80} (missing|not found)",
        "the answer file was rejected",
        "look in the console log for the line, and check your template, if you have one",
    ),
    Failure(
        r"No usable disks|No disks (selected|detected|found)|no drives to install",
        "no disk was found",
        "correct hardware.disk_buses in the profile: the installer lacks the first one's driver",
    ),
    Failure(
        rf"not enough (free )?(disk )?space|Not enough space|{TOO_SMALL}",
        "the disk is too small",
        "raise hardware.disk_gib in the profile",
    ),
    Failure(
        r"Error setting up (base )?repository|Failed to set up installation source"
        r"|Unable to (retrieve|read) (the )?(install|package)",
        "the packages cannot be reached",
        "use the medium with all packages (DVD), not the network installation medium",
    ),
    Failure(
        r"media check failed|checkisomd5.{0,80}FAIL|medium is corrupt",
        "the medium's own check failed",
        "download the medium again",
    ),
    _unreadable(r"/dev/root does not exist|SQUASHFS error"),
    Failure(
        r"Please make (your|a) (choice|selection)|Press ENTER to continue|Would you like to"
        r"|stopped due to incomplete spokes",
        "the installer asks a question that its answer file does not answer",
        "read the question at the end of the console log, and answer it in your own template",
    ),
    Failure(
        r"An unknown error has occurr?ed|no interactive debugging allowed|Traceback \(most",
        "the installer failed",
        READ_ON,
    ),
)

SUBIQUITY = (
    Failure(
        r"Malformed autoinstall|Failed validation"
        r"|autoinstall.{0,80}(validat|schema).{0,80}(fail|error)",
        "the answer file was rejected",
        "look in the console log for the field, and check your template, if you have one",
    ),
    Failure(
        r"Continue with autoinstall\?",
        "the installer asks for confirmation",
        "add `autoinstall` to the kernel's command line",
    ),
    Failure(
        r"did not discover any disks|Failed to find matching device",
        "no disk was found",
        "correct hardware.disk_buses in the profile",
    ),
    Failure(rf"{TOO_SMALL}|not enough space", "the disk is too small", "raise hardware.disk_gib"),
    _unreadable(
        r"errors found in \d+ files|Unable to find a (live )?medium containing|SQUASHFS error"
    ),
    # An unreachable mirror is not a failure: the medium has all packages.
    Failure(r"An error occurred\. Press enter", "the installer failed", READ_ON),
)

SUSE = (
    Failure(
        r"Error while parsing the control file|XML (parser|parsing) (reports an )?error"
        r"|AutoYaST profile\b.{0,60}(invalid|not valid)|not a valid AutoYaST profile",
        "the answer file was rejected",
        "look in the console log for the line, and check your template, if you have one",
    ),
    Failure(
        r"No hard disks? (were |was )?found|No disks? found",
        "no disk was found",
        "correct hardware.disk_buses in the profile",
    ),
    Failure(
        rf"not enough (free )?space|{TOO_SMALL}",
        "the disk is too small",
        "raise hardware.disk_gib in the profile",
    ),
    Failure(
        r"Could not find the .{0,80}[Rr]epository|No installation source",
        "the packages cannot be reached",
        "use the medium with all packages (Full), not the network installation medium",
    ),
    _unreadable(r"SHA\d* sum wrong|insecure mode|SQUASHFS error"),
    Failure(
        r"[Nn]one or wrong base product|No product found"
        r"|[Pp]roduct .{0,60}(is|was) not (available|found)",
        "the edition is not on the medium",
        "use a medium of this product",
    ),
)

# The messages of Agama's programs (https://github.com/agama-project/agama, branch SLE-16).
AGAMA = (
    Failure(
        r"Could not load configuration from|Skipping the auto-installation:",
        "the answer file was rejected",
        "look in the console log for the field, and check your template, if you have one",
    ),
    Failure(
        r"Mandatory (drive|device) .{0,80}not found",
        "no disk was found",
        "correct hardware.disk_buses in the profile",
    ),
    Failure(
        r"NoDiskSpaceError|not enough (free )?space",
        "the disk is too small",
        "raise hardware.disk_gib in the profile",
    ),
    Failure(
        r"Could not read repository",
        "the packages cannot be reached",
        "use the medium with all packages (Full), not the network installation medium",
    ),
    Failure(
        r"Product must be registered|Product not selected yet",
        "the edition is not on the medium",
        "use a medium of this product with all packages",
    ),
    _unreadable(r"SQUASHFS error"),
)

BSD = (
    Failure(
        r"installerconfig: .{0,80}([Ss]yntax error|not found)|Syntax error: ",
        "the answer file was rejected",
        "look in the console log for the line, and check your template, if you have one",
    ),
    _unreadable(r"checksum for \S+ does not match"),
    Failure(
        r"Error while (fetching|extracting)|[Dd]istribution extraction failed",
        "the packages cannot be read",
        "use the medium disc1 or dvd1",
    ),
    Failure(
        r"No disks found|Partitioning error|scripted partitioning.{0,80}fail",
        "the disk cannot be partitioned",
        "correct hardware.disk_buses or hardware.disk_gib in the profile",
    ),
    Failure(
        r"Welcome to FreeBSD![\s\S]{0,400}\[Install\]",
        "the installer found no answer file",
        READ_ON,
    ),
)

WINDOWS = (
    Failure(
        rf"(?i)answer file\b{WRAPPED}\b(error|invalid)"
        r"|could not (parse or )?process the unattend",
        "the answer file was rejected",
        "look on the screen for the component, and check your template, if you have one",
    ),
    Failure(
        r"(?i)(could not|couldn't) find any (drives|drivers)|No drives were found"
        r"|media driver your computer needs|did not find any hard disk",
        "no disk was found, since a driver is missing",
        "put the virtio-win medium on the shelf, or start hardware.disk_buses with sata",
    ),
    Failure(
        rf"(?i)product (key|ID)\b{WRAPPED}(invalid|not valid|does not match|cannot be validated)"
        r"|Invalid Product",
        "the product key is wrong",
        "set the key of this edition; see docs/reference/environment.md",
    ),
    Failure(
        rf"(?i)images? (available|that match)\b{WRAPPED}\b(not|none)\b"
        rf"|install\.wim\b{WRAPPED}\bnot (find|found)|cannot find\b{WRAPPED}\bimage"
        r"|cannot find the Microsoft Software License Terms",
        "the edition is not on the medium",
        "make windows.image in the profile one of the medium's editions",
    ),
    Failure(
        rf"(?i)\b(disk|partition)\b{WRAPPED}\btoo small|not enough (free )?(disk )?space",
        "the disk is too small",
        "raise hardware.disk_gib in the profile",
    ),
    Failure(
        rf"(?i)This PC can.?t run Windows|doesn.?t (currently )?meet\b{WRAPPED}\brequirements",
        "the machine does not meet Setup's requirements",
        "make hardware.tpm in the profile `required`, and its first variant secure-boot",
    ),
    _unreadable(
        r"(?i)file may be corrupt or missing|cannot (copy|open) (the )?(required )?file"
        r"|could not be loaded\. The error code"
    ),
    Failure(
        r"(?i)Windows could not (complete|configure|finish)|restarted unexpectedly",
        "Setup gave up",
        "look at the last screen for the part of Setup that failed",
    ),
)


def _linux(installer: str, packages: str, failures: tuple[Failure, ...]) -> Flow:
    return Flow(
        (
            Stage(State.MEDIUM, 120),
            Stage(State.INSTALLER, 420, installer),
            Stage(State.PACKAGES, 1800, packages),
            Stage(State.INSTALLED, 180, SETUP),
            Stage(State.FIRST_BOOT, 180, FIRST_BOOT),
            Stage(State.READY, 60),
        ),
        (NOT_BOOTABLE, PANIC, *failures),
        powers_off=True,
    )


def _windows(setup_seconds: float) -> Flow:
    # Setup shows graphics only; the first logon is the first to use the console.
    return Flow(
        (
            Stage(State.MEDIUM, setup_seconds),
            Stage(State.FIRST_BOOT, 1800, FIRST_BOOT),
            Stage(State.READY, 120),
        ),
        (NOT_BOOTABLE, *WINDOWS),
        powers_off=False,
    )


FLOWS: Mapping[Method, Flow] = {
    Method.PRESEED: _linux(
        r"Starting system log daemon|Detecting (network )?hardware",
        r"Installing the base system|Retrieving .*base system|Configuring apt",
        DEBIAN,
    ),
    Method.AUTOINSTALL: _linux(
        r"subiquity|Starting .*[Ss]ubiquity", r"curtin|installing system|Installing", SUBIQUITY
    ),
    Method.KICKSTART: _linux(
        r"anaconda|Running pre-installation|Welcome to",
        r"Installing|packages? to install",
        ANACONDA,
    ),
    Method.AUTOYAST: _linux(
        r"linuxrc|Starting (Installer|YaST)|YaST", r"Installing|Performing Installation", SUSE
    ),
    Method.AGAMA: _linux(r"[Aa]gama", r"Installing|packages", AGAMA),
    Method.BSDINSTALL: _linux(
        r"FreeBSD/|Starting local daemons|bsdinstall", r"[Ee]xtract(ing|ion)", BSD
    ),
    Method.AUTOUNATTEND: _windows(3600),
    Method.WINNT_SIF: _windows(5400),
}
"""The flow of each installation method."""
