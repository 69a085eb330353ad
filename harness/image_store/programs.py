"""Runs the programs of image builds, and names the package of a missing one."""

from __future__ import annotations

import os
import pwd
import re
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
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
    "prlimit": "util-linux",
}

CAUSES = (
    ("No space left on device", "free some space, or set GUESTCERT_HOME to a larger disk"),
    ("install arch-test", "install arch-test, and qemu-user-static for processors of another kind"),
    ("neither be executed natively", "install qemu-user-static, and register it with binfmt_misc"),
    ("Hashes of expected file", "try again later: the package mirror is being updated"),
    ("Could not resolve", "check that this host reaches its package mirror"),
    ("Failed to fetch", "check that this host reaches its package mirror"),
    ("Unable to connect", "check that this host reaches its package mirror"),
    ("newuidmap", "run as root, or install uidmap so that images can be built without"),
)

INHERITED = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|XDG_RUNTIME_DIR|APT_CONFIG"
    r"|SSL_CERT_(FILE|DIR)|(?i:(https?|ftp|all|no)_proxy)"
)
"""The variables passed to a program: no passwords, product keys or tokens of a CI server."""

CREDENTIALS = re.compile(r"://[^/\s@]+@")
"""The user and password in the address of a proxy."""

SECONDS = 2 * 3600.0
"""Time limit of a program; a bootstrap for a foreign architecture takes the longest."""

STOP_SECONDS = 120.0
"""Time for a stopped program to clean up before it is killed, such as mmdebstrap its mounts."""

MOST_OUTPUT, KEPT_OUTPUT = 8 * 1024 * 1024, 2 * 1024 * 1024
"""Limit of a program's kept output in bytes; of more, the start and the end are kept."""

MOST_LINE = 160
"""Limit of a progress line in characters."""


class ProgramFailed(HarnessError):  # noqa: N818 - the program failed, the harness did not
    """A program failed. `status`: the return code, as in subprocess; None after a timeout."""

    def __init__(
        self,
        sentence: str,
        status: int | None,
        output: str,
        *,
        remedy: str | None = None,
        evidence: Path | None = None,
    ) -> None:
        self.status = status
        self.output = output
        super().__init__(sentence, remedy=remedy, evidence=evidence)


@dataclass(frozen=True)
class Confinement:
    """Limits of a program that reads foreign files: bytes of memory, and of an output file.

    `user`: the account that it runs as; None: this process's.
    """

    memory: int
    file_size: int
    user: str | None


def run_program(
    arguments: Sequence[str],
    *,
    log: Path | None = None,
    stdin: str | None = None,
    environment: Mapping[str, str] | None = None,
    line: Callable[[str], None] | None = None,
    folder: Path | None = None,
    seconds: float = SECONDS,
    confinement: Confinement | None = None,
    accepted: Sequence[int] = (0,),
) -> str:
    """Run a program to its end in `folder`; its output goes to `log` and, by lines, to `line`.

    `accepted`: the statuses that count as success. If the caller is stopped, so are the program
    and its children. Raises ProgramFailed with its first error or last line, the log, and the
    remedy; HarnessError if it is missing.
    """
    process = _start(arguments, stdin, environment, folder, confinement)
    output = _Output(line)
    status: int | None
    try:
        status = _follow(process, stdin, output, seconds)
    except BaseException:
        output.add(_stop(process))
        _log(log, arguments, output)
        raise
    if status is None:
        output.add(_stop(process))
    _log(log, arguments, output)
    if status not in accepted:
        raise _failure(arguments, status, output.text, log, seconds)
    return output.text


def clean_environment(**more: str) -> dict[str, str]:
    """The environment of a program, without secrets."""
    return {n: v for n, v in os.environ.items() if INHERITED.fullmatch(n)} | more


def without_credentials(text: str) -> str:
    """A text with the passwords in its addresses removed."""
    return CREDENTIALS.sub("://[redacted]@", text)


class _Output:
    """A program's output, bounded, and passed on by lines."""

    def __init__(self, line: Callable[[str], None] | None) -> None:
        self._bytes = bytearray()
        self._line = line
        self._unfinished = b""

    def add(self, piece: bytes) -> None:
        self._bytes += piece
        if len(self._bytes) > MOST_OUTPUT:
            del self._bytes[KEPT_OUTPUT:-KEPT_OUTPUT]
        if self._line is None:
            return
        *lines, self._unfinished = (self._unfinished + piece).split(b"\n")
        self._unfinished = self._unfinished[-MOST_OUTPUT:]
        for whole in lines:
            text = whole.decode(errors="replace").strip()
            if text:
                self._line(text[:MOST_LINE])

    @property
    def text(self) -> str:
        return self._bytes.decode(errors="replace")


def _start(
    arguments: Sequence[str],
    stdin: str | None,
    environment: Mapping[str, str] | None,
    folder: Path | None,
    confinement: Confinement | None,
) -> subprocess.Popen[bytes]:
    for program in (arguments[0], *(("prlimit",) if confinement is not None else ())):
        if shutil.which(program) is None:
            raise HarnessError(
                f"the program {program} is not installed",
                remedy=f"install {PACKAGES.get(program, program)}",
            )
    user = confinement.user if confinement is not None else None
    try:
        return subprocess.Popen(
            [*_limits(confinement), *arguments],
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment) if environment is not None else clean_environment(),
            cwd=folder,
            start_new_session=True,
            user=user,
            group=pwd.getpwnam(user).pw_gid if user is not None else None,
            extra_groups=[] if user is not None else None,
        )
    except OSError as error:
        who = f" as {user}" if user is not None else ""
        raise HarnessError(f"{arguments[0]} cannot be run{who}: {error.strerror}") from error


def _limits(confinement: Confinement | None) -> list[str]:
    """The command prefix that ends a program with this process, and limits its resources."""
    before = []
    if shutil.which("setpriv") is not None:
        before += ["setpriv", "--pdeathsig", "TERM", "--"]
    if confinement is not None:
        limits = [f"--as={confinement.memory}", f"--fsize={confinement.file_size}", "--core=0"]
        before += ["prlimit", *limits, "--"]
    return before


def _follow(
    process: subprocess.Popen[bytes], stdin: str | None, output: _Output, seconds: float
) -> int | None:
    """Read the program's output until it ends; returns its status, None after a timeout."""
    assert process.stdout is not None
    end = time.monotonic() + seconds
    if stdin is not None:
        assert process.stdin is not None
        with suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(stdin.encode())
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select(max(0.0, end - time.monotonic())):
            piece = os.read(process.stdout.fileno(), 65536)
            if not piece:
                break
            output.add(piece)
    try:
        status = process.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        return None
    process.stdout.close()
    return status


def _stop(process: subprocess.Popen[bytes]) -> bytes:
    """Stop the program and its children: SIGTERM, so that they clean up, then SIGKILL."""
    last = b""
    try:
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            last, _ = process.communicate(timeout=STOP_SECONDS)
    finally:
        _signal(process, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    return last


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _log(log: Path | None, arguments: Sequence[str], output: _Output) -> None:
    if log is not None:
        text = f"$ {' '.join(arguments)}\n{output.text}\n"
        with log.open("a", encoding="utf-8") as file:
            file.write(without_credentials(text))


def _failure(
    arguments: Sequence[str], status: int | None, output: str, log: Path | None, seconds: float
) -> ProgramFailed:
    output = without_credentials(output)
    lines = [text for text in output.splitlines() if text.strip()]
    # APT and dpkg continue after the first error with consequential ones.
    wrong = [text for text in lines if text.startswith(("E:", "dpkg: error"))] or lines[-1:]
    last = wrong[0][:300] if wrong else "nothing"
    ended = f"ended with {status}" if status is not None else f"took more than {seconds:.0f} s"
    remedy = next((advice for mark, advice in CAUSES if mark in output), None)
    return ProgramFailed(
        f"{arguments[0]} {ended}; its output: {last}", status, output, remedy=remedy, evidence=log
    )
