"""Downloads files over HTTPS: through the host's proxy, resumable, verified."""

from __future__ import annotations

import hashlib
import shutil
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx

from harness.errors import HarnessError
from harness.image_store.builder import StepReporter
from harness.image_store.files import refuse_link, without_links
from harness.image_store.recipe import Digest
from harness.waiting import SYSTEM_CLOCK, Clock, Deadline, let_pass

PART = ".part"
"""File name suffix of an unfinished download."""

FORGOTTEN = timedelta(days=1)
"""Age of an unfinished download that is removed, as nobody resumes it."""

PAUSES = (1.0, 5.0, 20.0)
"""Seconds between attempts."""

CHUNK = 1024 * 1024
SMALL_FILE_LIMIT = 4 * 1024 * 1024
"""Limit of a checksum list in bytes: a larger file is something else."""

SMALL_FILE_SECONDS = 120.0
IMAGE_LIMIT = 64 * 1024**3
"""Limit of an image in bytes: real images are far smaller."""

IMAGE_SECONDS = 6 * 3600.0
"""Limit of all attempts at an image in seconds: enough for 1.3 GiB at 64 KiB/s."""

TIMEOUT = httpx.Timeout(30.0)
REMEDY = "check that this host reaches it, and whether HTTPS_PROXY is needed, then try again"


class UnreachableError(HarnessError):
    """A server cannot be reached or fails, so that its current files are unknown."""


def open_client(trusted: ssl.SSLContext | None = None) -> httpx.Client:
    """A client for HTTPS only; it follows redirects and uses the environment's proxies.

    It requests identity encoding: a compressed file could expand a thousand times.
    """
    return httpx.Client(
        verify=trusted or True,
        follow_redirects=True,
        timeout=TIMEOUT,
        headers={"Accept-Encoding": "identity"},
        event_hooks={"request": [_require_https]},
    )


def fetch_small(
    client: httpx.Client,
    address: str,
    *,
    from_host_itself: bool = False,
    clock: Clock = SYSTEM_CLOCK,
) -> bytes:
    """The content of a small file; `from_host_itself`: refuse redirects to other hosts.

    Raises HarnessError with the actual response; UnreachableError if a retry may succeed.
    """
    deadline = Deadline(SMALL_FILE_SECONDS, clock)
    try:
        with _answer(client, address) as answer:
            answer.raise_for_status()
            if from_host_itself:
                _require_host(answer, httpx.URL(address).host)
            content = bytearray()
            for chunk in answer.iter_raw():
                content += chunk
                if len(content) > SMALL_FILE_LIMIT:
                    raise HarnessError(
                        f"{address} is not a checksum list: it is larger than "
                        f"{SMALL_FILE_LIMIT // CHUNK} MiB"
                    )
                _require_time(deadline, address)
    except httpx.HTTPError as error:
        refused = isinstance(error, httpx.HTTPStatusError) and error.response.is_client_error
        kind = HarnessError if refused else UnreachableError
        raise kind(f"{address} could not be downloaded: {_words(error)}", remedy=REMEDY) from error
    return bytes(content)


def download(
    client: httpx.Client,
    address: str,
    file: Path,
    kind: Digest,
    digest: str,
    step: StepReporter,
    clock: Clock = SYSTEM_CLOCK,
) -> None:
    """Download `address` to `file`, resuming an earlier attempt.

    The rest of an earlier attempt at another build is discarded. Raises HarnessError if the
    download exceeds IMAGE_LIMIT or IMAGE_SECONDS, or if the digest is not `digest`; a file with a
    wrong digest is removed.
    """
    refuse_link(file)
    deadline = Deadline(IMAGE_SECONDS, clock)
    resumed = file.exists()
    _fetch(client, address, file, step, deadline)
    if resumed and digest_of(file, kind) != digest.lower():
        step("the unfinished download is of another build: downloading it again")
        file.unlink()
        _fetch(client, address, file, step, deadline)
    found = digest_of(file, kind)
    if found != digest.lower():
        file.unlink()
        raise HarnessError(
            f"{address} has the {kind} {found}, but its checksum list has {digest.lower()}",
            remedy="try again later: the vendor may just be publishing a new build",
        )


def digest_of(file: Path, kind: Digest) -> str:
    """A file's digest in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, str(kind)).hexdigest()


def remove_forgotten(folder: Path) -> list[Path]:
    """Remove unfinished downloads from a folder that nobody resumed."""
    oldest = time.time() - FORGOTTEN.total_seconds()
    left = [part for part in sorted(folder.glob(f"*{PART}")) if part.lstat().st_mtime < oldest]
    for part in left:
        part.unlink(missing_ok=True)
    return left


def _fetch(
    client: httpx.Client, address: str, file: Path, step: StepReporter, deadline: Deadline
) -> None:
    """Download the missing part, in several attempts with pauses."""
    for pause in (*PAUSES, None):
        try:
            _resume(client, address, file, step, deadline)
            return
        except httpx.HTTPError as error:
            if pause is None or not _may_pass(error):
                raise HarnessError(
                    f"{address} could not be downloaded: {_words(error)}", remedy=REMEDY
                ) from error
            step(f"the download was interrupted ({_words(error)}); resuming in {pause:.0f} s")
        let_pass(pause, (), deadline.clock)
        _require_time(deadline, address)


def _resume(
    client: httpx.Client, address: str, file: Path, step: StepReporter, deadline: Deadline
) -> None:
    have = file.stat().st_size if file.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with _answer(client, address, headers) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # the file is complete; the digest decides
        answer.raise_for_status()
        resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
        done = have if resumed else 0
        total = done + _length(answer, address)
        _require_room(total, total - done, file, address)
        shown = -1
        with open(file, "ab" if resumed else "wb", opener=without_links) as target:
            for chunk in answer.iter_raw():  # as they arrive, so that a slow server is detected
                target.write(chunk)
                done += len(chunk)
                _require_time(deadline, address)
                if done // CHUNK > shown or done == total:
                    shown = done // CHUNK
                    step(f"downloading {address.rpartition('/')[2]}: {_progress(done, total)}")


@contextmanager
def _answer(
    client: httpx.Client, address: str, headers: dict[str, str] | None = None
) -> Iterator[httpx.Response]:
    """A server's response without content encoding. Raises HarnessError if it is encoded."""
    with client.stream("GET", address, headers=headers) as answer:
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise HarnessError(
                f"{address} is sent encoded, although identity encoding was requested"
            )
        yield answer


def _require_https(request: httpx.Request) -> None:
    if request.url.scheme != "https":
        raise HarnessError(
            f"{request.url} is not an https address: its content could be changed in transit",
            remedy="use an https folder in the recipe that does not redirect elsewhere",
        )


def _require_host(answer: httpx.Response, host: str) -> None:
    others = [each.url.host for each in (*answer.history, answer) if each.url.host != host]
    if others:
        raise HarnessError(
            f"the checksum list on {host} comes from {others[0]}, and no signature is verified",
            remedy="supply the vendor's key (see docs/reference/profiles.md), "
            "or use the host that has the list in the recipe",
        )


def _length(answer: httpx.Response, address: str) -> int:
    length = answer.headers.get("Content-Length", "")
    if not (length.isascii() and length.isdigit()):
        raise HarnessError(f"{address} does not state its length", remedy="use another mirror")
    return int(length)


def _require_room(total: int, missing: int, file: Path, address: str) -> None:
    if total > IMAGE_LIMIT:
        raise HarnessError(
            f"{address} has {total // 1024**3} GiB, and no image has more than "
            f"{IMAGE_LIMIT // 1024**3}"
        )
    free = shutil.disk_usage(file.parent).free
    if missing > free:
        raise HarnessError(
            f"{address} needs {missing // CHUNK} MiB, and {file.parent} has {free // CHUNK} MiB",
            remedy="free some space, or set GUESTCERT_HOME to a larger disk",
        )


def _require_time(deadline: Deadline, address: str) -> None:
    if deadline.passed:
        raise HarnessError(
            f"{address} was not downloaded within {deadline.seconds:.0f} s",
            remedy="try again: an unfinished download is kept for a day",
        )


def _may_pass(error: httpx.HTTPError) -> bool:
    """Whether a retry may succeed: the connection broke, or the server failed."""
    if isinstance(error, httpx.HTTPStatusError):
        too_many = error.response.status_code == httpx.codes.TOO_MANY_REQUESTS
        return too_many or error.response.is_server_error
    return isinstance(error, httpx.TransportError)


def _progress(done: int, total: int) -> str:
    return f"{done // CHUNK} MiB of {total // CHUNK}, {100 * done // max(total, 1)} %"


def _words(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"the server answered {error.response.status_code} {error.response.reason_phrase}"
    return str(error) or type(error).__name__
