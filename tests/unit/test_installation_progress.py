"""The state machine of an installation, fed with console output, with a clock that jumps."""

from __future__ import annotations

import re

import pytest

from harness.profiles.model import Method
from harness.provisioning.flow import FLOWS, State
from harness.provisioning.installation_progress import InstallationError, InstallationProgress
from harness.waiting import Deadline, JumpingClock

TOKEN = "f00d"


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


def started(method: Method, clock: JumpingClock) -> InstallationProgress:
    return InstallationProgress(FLOWS[method], TOKEN, lambda seconds: Deadline(seconds, clock))


def reported(progress: InstallationProgress, *lines: str) -> InstallationProgress:
    for line in lines:
        progress.feed_console(line.encode() + b"\r\n")
    return progress


INSTALLER = "Starting system log daemon: syslogd, klogd."
WHOLE = (INSTALLER, "Installing the base system  ... 0%", "guestcert: stage setup")


def test_an_installation_goes_from_state_to_state(clock: JumpingClock) -> None:
    progress = started(Method.PRESEED, clock)
    seen = [progress.state]
    for line in (*WHOLE, "guestcert: stage installed"):
        seen.append(reported(progress, line).state)
    progress.machine_stopped()
    for line in ("guestcert: stage first-boot", f"guestcert: ready {TOKEN}"):
        seen.append(reported(progress, line).state)
    assert list(dict.fromkeys(seen)) == list(State)
    assert not progress.finished
    progress.machine_stopped()
    assert progress.finished


def test_power_off_without_the_token_is_no_success(clock: JumpingClock) -> None:
    progress = reported(started(Method.PRESEED, clock), *WHOLE)
    progress.machine_stopped()
    assert progress.power_cycle == 2
    with pytest.raises(InstallationError, match="powered off before the installed system sent"):
        progress.machine_stopped()


@pytest.mark.parametrize("heard", [0, 1, 2])
def test_an_installer_that_goes_off_early_failed(clock: JumpingClock, heard: int) -> None:
    progress = reported(started(Method.PRESEED, clock), *WHOLE[:heard])
    with pytest.raises(InstallationError, match="powered off before"):
        progress.machine_stopped()


def test_the_token_of_another_installation_is_none(clock: JumpingClock) -> None:
    progress = reported(started(Method.PRESEED, clock), *WHOLE)
    progress.machine_stopped()
    reported(progress, "guestcert: ready 0000")
    with pytest.raises(InstallationError, match="powered off before"):
        progress.machine_stopped()


def test_the_token_without_power_off_is_no_success(clock: JumpingClock) -> None:
    progress = reported(started(Method.AUTOUNATTEND, clock), f"guestcert: ready {TOKEN}")
    clock.sleep(10_000)
    with pytest.raises(InstallationError, match=r"was not off .* after the installed system"):
        progress.check()


def test_a_first_boot_in_the_installers_life_is_none(clock: JumpingClock) -> None:
    """The setup script's text may pass over the console; the installed system has not spoken."""
    progress = reported(started(Method.PRESEED, clock), *WHOLE, "guestcert: stage first-boot")
    assert progress.state is State.INSTALLED


def test_windows_reboots_by_itself_and_goes_off_once(clock: JumpingClock) -> None:
    progress = started(Method.AUTOUNATTEND, clock)
    assert reported(progress, "guestcert: stage drivers").state is State.FIRST_BOOT
    assert reported(progress, "guestcert: stage console").state is State.FIRST_BOOT
    reported(progress, f"guestcert: ready {TOKEN}").machine_stopped()
    assert progress.finished


@pytest.mark.parametrize("states", [0, 1, 2, 3])
def test_each_state_has_a_deadline_of_its_own(clock: JumpingClock, states: int) -> None:
    progress = started(Method.PRESEED, clock)
    for line in WHOLE[:states]:
        clock.sleep(progress.flow.stages[0].seconds - 1)
        progress.check()
        reported(progress, line)
    state = progress.state
    clock.sleep(10_000)
    with pytest.raises(InstallationError, match=r"waited .* for the state") as failure:
        progress.check()
    assert failure.value.state is state
    assert str(state) in str(failure.value)


FAILURES = {
    Method.PRESEED: {
        "Failed to process the preconfiguration file": "answer file was rejected",
        "Bad archive mirror": "mirror cannot be reached",
        "while trying to use the specified Debian archive\r\nmirror.": "mirror cannot be",
        "[22A[Press enter to continue]": "asks a question",
        "No disk drive was detected.": "no disk was found",
        "the selected disk or free space is too\n small to be": "disk is too small",
        "\x1b[7mPrompt: \x1b[0m'?' for help, default=1>": "asks a question",
        "There was a problem reading data from the CD-ROM.": "medium cannot be read",
        "Your installation media couldn't be mounted.": "medium cannot be read",
        "Kernel panic - not syncing: VFS": "kernel died",
        "No bootable device.": "medium is not bootable",
        "BdsDxe: No bootable option or device was found.": "medium is not bootable",
        "UEFI \x1b[1mInteractive Shell v2.2": "medium is not bootable",
    },
    Method.KICKSTART: {
        "The following problem occurred on line 7 of the kickstart file": "answer file was",
        "No usable disks have been found": "no disk was found",
        "not enough free space on disks": "disk is too small",
        "The media check failed": "medium's own check",
        "Error setting up base repository": "packages cannot be reached",
        "Warning: /dev/root does not exist": "medium cannot be read",
        "The installation was stopped due to incomplete spokes detected": "asks a question",
        "Running in cmdline mode, no interactive debugging allowed.": "the installer failed",
    },
    Method.AUTOINSTALL: {
        "Malformed autoinstall in 'storage' section": "answer file was rejected",
        "Continue with autoinstall? (yes|no)": "asks for confirmation",
        "Check finished: errors found in 2 files!": "medium cannot be read",
        "An error occurred. Press enter to start a shell": "the installer failed",
    },
    Method.AUTOYAST: {
        "Error while parsing the control file": "answer file was rejected",
        "No hard disks were found": "no disk was found",
        "SHA256 sum wrong. If you really trust": "medium cannot be read",
        "The disk /dev/vda is too small for": "disk is too small",
        "The product SLES was not found on": "edition is not on the medium",
        "None or wrong base product has been defined": "edition is not on the medium",
    },
    Method.AGAMA: {
        "Could not load configuration from label://OEMDRV/autoinst.json: ": "answer file was",
        "Mandatory drive /dev/vda not found": "no disk was found",
        "Y2Storage::NoDiskSpaceError": "disk is too small",
        'Could not read repository "SLES"': "packages cannot be reached",
        "Product must be registered": "edition is not on the medium",
    },
    Method.BSDINSTALL: {
        "Distribution extraction failed": "packages cannot be read",
        "/tmp/bsdinstall-installscript: Syntax error: end of file": "answer file was rejected",
        "The checksum for base.txz does not match.": "medium cannot be read",
    },
    Method.AUTOUNATTEND: {
        "Windows could not parse or process the unattend answer file": "answer file was",
        "We couldn't find any drives": "driver is missing",
        "The product key entered does not match": "product key is wrong",
        "Windows cannot find the specified image": "edition is not on the medium",
        "cannot find the Microsoft Software License\nTerms.": "edition is not on the medium",
        "The file may be corrupt or missing.": "medium cannot be read",
        "This PC can\u2019t run Windows 11": "does not meet Setup's requirements",
        "The computer restarted unexpectedly": "Setup gave up",
    },
    Method.WINNT_SIF: {
        "Setup did not find any hard disk drives": "driver is missing",
        "The Product ID you entered is not valid": "product key is wrong",
        "Setup cannot copy the file: ntfs.sys": "medium cannot be read",
    },
}


@pytest.mark.parametrize(
    ("method", "line", "problem"),
    [(method, *pair) for method, lines in FAILURES.items() for pair in lines.items()],
)
def test_a_failure_is_told_at_once_with_what_to_try(
    clock: JumpingClock, method: Method, line: str, problem: str
) -> None:
    progress = started(method, clock)
    with pytest.raises(InstallationError, match=problem) as failure:
        progress.feed_console(line.encode()) if method not in SEEN else progress.feed_screen(line)
    assert failure.value.remedy
    assert str(failure.value).startswith(f"while {progress.state}: ")


@pytest.mark.parametrize("method", FAILURES)
@pytest.mark.parametrize(
    "line", ["The terminal is too small.", "Please enter the product key below", "too small"]
)
def test_what_only_resembles_a_failure_is_none(
    clock: JumpingClock, method: Method, line: str
) -> None:
    progress = started(method, clock)
    progress.feed_console(line.encode()) if method not in SEEN else progress.feed_screen(line)
    assert progress.state is State.MEDIUM


BENIGN = {
    Method.AUTOINSTALL: (
        "[  OK  ] Started LSB: automatic crash report generation.",
        "[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39mProcess error reports\x1b[0m: crash report.",
        "         Starting A unit: An error occurred. Press enter to start a shell",
        "sd 2:0:0:0: [sdb] no disk in drive",
        "the mirror is not usable, and no network: offline-install",
        "Could not resolve host: archive.ubuntu.com",
        "autoinstall found\nloading the schema\nsmartd: failed once, no error",
        "validate: autoinstall in use\nfsck: a validation\nan error",
    ),
    Method.AUTOYAST: (
        "loading the profile\naudit: an invalid argument",
        "apparmor: profile cups is not valid here",
        "[FAILED] Failed to start No disks found.",
        "Could not find the file\nAdding the repository",
    ),
    Method.KICKSTART: (
        "checkisomd5 is running\n[FAILED] Failed to start Something.",
        "kickstart file found\nplymouth: missing",
    ),
    Method.BSDINSTALL: ("No disks are encrypted", "running installerconfig: done\nwifi: not found"),
    Method.AUTOUNATTEND: ("The answer file is read.\n" + "x" * 90 + "\nno error",),
}
"""What consoles and screens show while an installation is well."""


@pytest.mark.parametrize(
    ("method", "text"), [(method, text) for method, texts in BENIGN.items() for text in texts]
)
def test_harmless_lines_are_no_failure(clock: JumpingClock, method: Method, text: str) -> None:
    progress = started(method, clock)
    if method in SEEN:
        progress.feed_screen(text)
    else:
        for piece in (text[: len(text) // 2], text[len(text) // 2 :], "\r\n", "x" * 5990):
            progress.feed_console(piece.replace("\n", "\r\n").encode())
    assert progress.state in {State.MEDIUM, State.INSTALLER}


def test_a_failure_behind_units_that_started_is_one(clock: JumpingClock) -> None:
    progress = started(Method.AUTOINSTALL, clock)
    with pytest.raises(InstallationError, match="the installer failed"):
        progress.feed_console(
            b"[  OK  ] Started A unit.\r\nAn error occurred. Press\r\n enter to start"
        )


@pytest.mark.parametrize("method", Method)
def test_no_pattern_reaches_over_the_whole_screen(method: Method) -> None:
    flow = FLOWS.get(method)
    endless = [
        failure.pattern
        for failure in (flow.failures if flow else ())
        if re.search(r"(?<!\\)\.[*+]|\] ?[*+]| [?*+]", failure.pattern)
    ]
    assert endless == []


SEEN = {Method.AUTOUNATTEND, Method.WINNT_SIF}
"""Their installers show graphics: failures are read from the screen."""


def test_every_method_has_a_flow_and_failures_that_are_tested() -> None:
    assert set(FAILURES) == set(FLOWS)


def test_a_word_in_two_pieces_is_heard(clock: JumpingClock) -> None:
    progress = started(Method.PRESEED, clock)
    progress.feed_console(b"Starting system log dae")
    progress.feed_console(b"mon: syslogd")
    assert progress.state is State.INSTALLER


def test_what_the_token_follows_is_no_failure_any_more(clock: JumpingClock) -> None:
    progress = reported(started(Method.PRESEED, clock), *WHOLE)
    progress.machine_stopped()
    reported(
        progress, f"guestcert: ready {TOKEN}\r\nKernel panic - not syncing in a service's name"
    )
    progress.machine_stopped()
    assert progress.finished


def test_bytes_of_any_kind_are_borne(clock: JumpingClock) -> None:
    progress = started(Method.PRESEED, clock)
    progress.feed_console(bytes(range(256)) * 100)
    assert progress.state is State.MEDIUM
