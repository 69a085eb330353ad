"""Runs the programs that images are made with, and says which package has a missing one."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.errors import HarnessError

PACKAGES = {
    "mmdebstrap": "mmdebstrap",
    "qemu-img": "qemu-utils (Fedora: qemu-img)",
    "sfdisk": "fdisk (Fedora: util-linux)",
    "mformat": "mtools",
    "mmd": "mtools",
    "mcopy": "mtools",
    "mke2fs": "e2fsprogs",
}

CAUSES = (
    ("No space left on device", "free some space, or set GUESTCERT_HOME to a larger disk"),
    ("install arch-test", "install arch-test, and qemu-user-static for processors of another kind"),
    ("neither be executed natively", "install qemu-user-static, and register it with binfmt_misc"),
    ("Hashes of expected file", "try again later: the package mirror is being updated"),
    ("Could not resolve", "look whether this host reaches its package mirror"),
    ("Failed to fetch", "look whether this host reaches its package mirror"),
    ("Unable to connect", "look whether this host reaches its package mirror"),
    ("newuidmap", "run as root, or install uidmap so that images can be built without"),
)


def run_program(
    arguments: Sequence[str],
    *,
    log: Path | None = None,
    stdin: str | None = None,
    environment: Mapping[str, str] | None = None,
    line: Callable[[str], None] | None = None,
) -> str:
    """Run a program to its end; its output goes to `log` and, line by line, to `line`.

    Raises HarnessError with its first error or last line, the log, and what to try.
    """
    try:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=dict(environment) if environment is not None else None,
        )
    except FileNotFoundError as error:
        package = PACKAGES.get(arguments[0], arguments[0])
        raise HarnessError(
            f"the program {arguments[0]} is not installed", remedy=f"install {package}"
        ) from error
    with process:
        try:
            said = _follow(process, stdin, line)
        except BaseException:
            process.terminate()  # an interrupted build must not go on without us
            raise
    if log is not None:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"$ {' '.join(arguments)}\n{said}\n")
    if process.returncode != 0:
        raise _failure(arguments, process.returncode, said, log)
    return said


def _follow(
    process: subprocess.Popen[str], stdin: str | None, line: Callable[[str], None] | None
) -> str:
    assert process.stdout is not None
    if stdin is not None:
        assert process.stdin is not None
        process.stdin.write(stdin)
        process.stdin.close()
    said = []
    for text in process.stdout:
        said.append(text)
        if line is not None and text.strip():
            line(text.strip()[:160])
    process.wait()
    return "".join(said)


def _failure(arguments: Sequence[str], status: int, said: str, log: Path | None) -> HarnessError:
    lines = [text for text in said.splitlines() if text.strip()]
    # APT and dpkg go on after the first error, with others that only follow from it.
    wrong = [text for text in lines if text.startswith(("E:", "dpkg: error"))] or lines[-1:]
    told = wrong[0][:300] if wrong else "nothing"
    remedy = next((advice for mark, advice in CAUSES if mark in said), None)
    return HarnessError(
        f"{arguments[0]} ended with {status}; it said: {told}", evidence=log, remedy=remedy
    )
