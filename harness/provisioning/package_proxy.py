"""A caching proxy on the guests' network: the one way to packages, and to nothing else.

It is fed by guests that nobody trusts, so it runs as a user who owns its cache and nothing else.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from harness.errors import HarnessError
from harness.image_store.private import new_private_file
from harness.image_store.programs import clean_environment
from harness.waiting import Deadline, NotYet, wait_until

PROGRAM = "apt-cacher-ng"
CONFIGURATION = "acng.conf"
PORT = 3143
"""Not the program's own 3142: on a host that serves itself with it, that one is taken."""

USERS = (PROGRAM, "nobody")
"""As whom it runs where this process is root's: its package's own user, else one without rights."""

LOGS = ("apt-cacher.log", "apt-cacher.err")
START_SECONDS = 30.0
STOP_SECONDS = 20.0


@contextmanager
def package_proxy(address: str, mirror: str, cache: Path, folder: Path) -> Iterator[str]:
    """Serve `mirror` (an HTTP address) on `address`, a host's own one; gives the proxy's address.

    What was fetched stays in `cache`, a part of it for each of those that run at once; `folder`
    gets its logs. Its configuration, which may hold a proxy's password, is removed at the end.
    Whatever is not of the mirror is refused. Raises HarnessError where the program is missing or
    does not start.
    """
    program = shutil.which(PROGRAM, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        raise HarnessError(
            f"{PROGRAM} is not installed, through which installers reach packages",
            remedy=f"install the package {PROGRAM}",
        )
    user = _user()
    with _free_part(cache) as part, _configured(address, mirror, part, user) as configuration:
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / "proxy.out"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [program, "-c", str(configuration)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=clean_environment(),
                user=None if user is None else user.pw_uid,
                group=None if user is None else user.pw_gid,
                extra_groups=None if user is None else (),
            )
        try:
            _await_listening(process, address, log)
            yield f"http://{address}:{PORT}"
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _keep_logs(configuration, folder)


def _user() -> pwd.struct_passwd | None:
    """The user as whom it runs; None where that is who runs this, without root's rights."""
    if os.geteuid() != 0:
        return None
    for name in USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise HarnessError(f"this host has no user {' or '.join(USERS)}, as whom {PROGRAM} runs")


@contextmanager
def _free_part(cache: Path) -> Iterator[Path]:
    """The first part of the cache that no other proxy uses: two would spoil each other's files."""
    for number in itertools.count(1):
        part = cache / str(number)
        part.mkdir(parents=True, exist_ok=True)
        lock = FileLock(cache / f".{number}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        try:
            yield part
        finally:
            lock.release()
        return


@contextmanager
def _configured(
    address: str, mirror: str, part: Path, user: pwd.struct_passwd | None
) -> Iterator[Path]:
    """A folder with its configuration, as long as it runs; it and the cache are `user`'s alone."""
    configuration = part.with_name(f"{part.name}.conf")
    shutil.rmtree(configuration, ignore_errors=True)  # of a run that was killed
    configuration.mkdir(mode=0o700)
    try:
        # The address of a proxy on the way out may hold a password.
        file = new_private_file(configuration / CONFIGURATION)
        settings = "\n".join(_settings(address, mirror, part, configuration))
        file.write_text(f"{settings}\n", encoding="utf-8")
        if user is not None:
            _give(part, user)
            _give(configuration, user)
        part.chmod(0o700)
        yield configuration
    finally:
        shutil.rmtree(configuration, ignore_errors=True)


def _give(folder: Path, user: pwd.struct_passwd) -> None:
    """Make a folder and all in it the user's; what is theirs already was never anybody else's."""
    if folder.stat().st_uid == user.pw_uid:
        return
    for inner in (*folder.rglob("*"), folder):
        os.chown(inner, user.pw_uid, user.pw_gid, follow_symlinks=False)


def _settings(address: str, mirror: str, cache: Path, logs: Path) -> list[str]:
    lines = [
        f"CacheDir: {cache}",
        f"LogDir: {logs}",
        f"Port: {PORT}",
        f"BindAddress: {address}",
        "ForeGround: 1",
        "SupportDir: /usr/lib/apt-cacher-ng",
        "ReportPage:",  # no page for whoever asks from the guests' network
        f"Remap-mirror: {mirror.partition('://')[2]} ; {mirror}",
        "ForceManaged: 1",  # what is not the mirror's is refused
        "PassThroughPattern: ^$",  # no CONNECT: its own default lets some hosts through
        f"AllowUserPorts: {urlsplit(mirror).port or 80}",
    ]
    upstream = os.environ.get("http_proxy") or os.environ.get("HTTP_PROXY")
    if upstream:
        lines.append(f"Proxy: {upstream}")
    return lines


def _keep_logs(configuration: Path, folder: Path) -> None:
    """Keep what it logged; the folder is the proxy's own user's, so that no link is followed."""
    for name in LOGS:
        log = configuration / name
        if log.is_file() and not log.is_symlink():
            shutil.copyfile(log, folder / name)


def _await_listening(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    def listening() -> None:
        if process.poll() is not None:
            said = log.read_text(encoding="utf-8", errors="replace").strip()[-300:]
            raise HarnessError(f"{PROGRAM} ended with {process.returncode}: {said}", evidence=log)
        with closing(socket.socket()) as probe:
            probe.settimeout(1)
            if probe.connect_ex((address, PORT)) != 0:
                raise NotYet("nobody listening")

    wait_until(
        listening,
        awaited=f"{PROGRAM} to listen on {address}:{PORT}",
        deadline=Deadline(START_SECONDS),
        error=lambda sentence: HarnessError(sentence, evidence=log),
    )
