"""A caching proxy on the guests' network: the one way to packages, and to nothing else."""

from __future__ import annotations

import itertools
import os
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

START_SECONDS = 30.0
STOP_SECONDS = 20.0


@contextmanager
def package_proxy(address: str, mirror: str, cache: Path, folder: Path) -> Iterator[str]:
    """Serve `mirror` (an HTTP address) on `address`, a host's own one; gives the proxy's address.

    What was fetched stays in `cache`, a part of it for each of those that run at once; `folder`
    holds its configuration and log. Whatever is not of the mirror is refused. Raises HarnessError
    where the program is missing or does not start.
    """
    program = shutil.which(PROGRAM, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        raise HarnessError(
            f"{PROGRAM} is not installed, through which installers reach packages",
            remedy=f"install the package {PROGRAM}",
        )
    with _free_part(cache) as part:
        configuration = _configure(address, mirror, part, folder)
        log = folder / "proxy.out"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [program, "-c", str(configuration)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=clean_environment(),
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
            (configuration / CONFIGURATION).unlink(missing_ok=True)


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


def _configure(address: str, mirror: str, cache: Path, folder: Path) -> Path:
    configuration = folder / "proxy"
    configuration.mkdir(parents=True, exist_ok=True)
    lines = [
        f"CacheDir: {cache}",
        f"LogDir: {configuration}",
        f"Port: {PORT}",
        f"BindAddress: {address}",
        "ForeGround: 1",
        "SupportDir: /usr/lib/apt-cacher-ng",
        "ReportPage:",  # no page for whoever asks from the guests' network
        f"Remap-mirror: {mirror.partition('://')[2]} ; {mirror}",
        "ForceManaged: 1",  # what is not the mirror's is refused
        f"AllowUserPorts: {urlsplit(mirror).port or 80}",
    ]
    upstream = os.environ.get("http_proxy") or os.environ.get("HTTP_PROXY")
    if upstream:
        lines.append(f"Proxy: {upstream}")
    file = new_private_file(configuration / CONFIGURATION)  # a proxy's address may hold a password
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return configuration


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
