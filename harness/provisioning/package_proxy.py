"""A caching package proxy on the guests' network: it serves one mirror and nothing else.

Its clients are untrusted guests, so it runs as a user who owns only the cache.
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
"""Not the default 3142, which a host may use for its own proxy."""

USERS = (PROGRAM, "nobody")
"""The proxy's user if this process is root's: the package's user, else an unprivileged one."""

LOGS = ("apt-cacher.log", "apt-cacher.err")
START_SECONDS = 30.0
STOP_SECONDS = 20.0


@contextmanager
def package_proxy(address: str, mirror: str, cache: Path, folder: Path) -> Iterator[str]:
    """Serve `mirror` (an HTTP address) on a host `address`; yields the proxy's address.

    Packages stay in `cache`, which has a part for each concurrent proxy; logs go to `folder`. The
    configuration may hold a proxy's password, and is removed at the end. Requests for anything but
    the mirror are refused. Raises HarnessError if the program is missing or does not start.
    """
    program = shutil.which(PROGRAM, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        raise HarnessError(
            f"{PROGRAM} is not installed; installers reach packages through it",
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
            _copy_logs(configuration, folder)


def _user() -> pwd.struct_passwd | None:
    """The proxy's user; None if this process is unprivileged, and the user stays the same."""
    if os.geteuid() != 0:
        return None
    for name in USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise HarnessError(f"this host has no user {' or '.join(USERS)} to run {PROGRAM}")


@contextmanager
def _free_part(cache: Path) -> Iterator[Path]:
    """The first part of the cache that no other proxy uses: it cannot be shared."""
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
    """A configuration folder for the duration of the proxy; `user` alone owns it and the cache."""
    configuration = part.with_name(f"{part.name}.conf")
    shutil.rmtree(configuration, ignore_errors=True)  # left by a killed run
    configuration.mkdir(mode=0o700)
    try:
        # The address of the upstream proxy may hold a password.
        file = new_private_file(configuration / CONFIGURATION)
        settings = "\n".join(_settings(address, mirror, part, configuration))
        file.write_text(f"{settings}\n", encoding="utf-8")
        if user is not None:
            _change_owner(part, user)
            _change_owner(configuration, user)
        part.chmod(0o700)
        yield configuration
    finally:
        shutil.rmtree(configuration, ignore_errors=True)


def _change_owner(folder: Path, user: pwd.struct_passwd) -> None:
    """Change the owner of a folder and its content, unless the user owns the folder already."""
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
        "ReportPage:",  # no report page for clients
        f"Remap-mirror: {mirror.partition('://')[2]} ; {mirror}",
        "ForceManaged: 1",  # refuse anything but the mirror
        "PassThroughPattern: ^$",  # no CONNECT; the default allows some hosts
        f"AllowUserPorts: {urlsplit(mirror).port or 80}",
    ]
    upstream = os.environ.get("http_proxy") or os.environ.get("HTTP_PROXY")
    if upstream:
        lines.append(f"Proxy: {upstream}")
    return lines


def _copy_logs(configuration: Path, folder: Path) -> None:
    """Copy the logs; follows no link, as the proxy's user owns the folder."""
    for name in LOGS:
        log = configuration / name
        if log.is_file() and not log.is_symlink():
            shutil.copyfile(log, folder / name)


def _await_listening(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    def listening() -> None:
        if process.poll() is not None:
            output = log.read_text(encoding="utf-8", errors="replace").strip()[-300:]
            raise HarnessError(f"{PROGRAM} ended with {process.returncode}: {output}", evidence=log)
        with closing(socket.socket()) as probe:
            probe.settimeout(1)
            if probe.connect_ex((address, PORT)) != 0:
                raise NotYet("not listening")

    wait_until(
        listening,
        awaited=f"{PROGRAM} to listen on {address}:{PORT}",
        deadline=Deadline(START_SECONDS),
        error=lambda sentence: HarnessError(sentence, evidence=log),
    )
