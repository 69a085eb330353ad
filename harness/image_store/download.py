"""Downloads files over HTTPS: through the host's proxy, resumed where they broke off, verified."""

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
from harness.image_store.builder import Step
from harness.image_store.files import refuse_link, without_links
from harness.image_store.recipe import Digest
from harness.waiting import SYSTEM_CLOCK, Clock, Deadline, let_pass

PART = ".part"
"""Ends the name of a file that is being downloaded, or was until something broke."""

FORGOTTEN = timedelta(days=1)
"""After so long without a byte nobody goes on with a download."""

PAUSES = (1.0, 5.0, 20.0)
"""Seconds between one attempt and the next."""

CHUNK = 1024 * 1024
SMALL_FILE_LIMIT = 4 * 1024 * 1024
"""Bytes of a list of digests: a server that sends more sends something else."""

SMALL_FILE_SECONDS = 120.0
IMAGE_LIMIT = 64 * 1024**3
"""Bytes of an image: no vendor's comes near."""

IMAGE_SECONDS = 6 * 3600.0
"""Seconds for all attempts at an image together: 64 KiB/s bring 1.3 GiB in that time."""

TIMEOUT = httpx.Timeout(30.0)
REMEDY = "look whether this host reaches it, and whether HTTPS_PROXY is needed, then try again"


class UnreachableError(HarnessError):
    """A server cannot be reached, or is in trouble: what it offers now is not known."""


def open_client(trusted: ssl.SSLContext | None = None) -> httpx.Client:
    """A client for HTTPS alone: it follows redirections and uses the environment's proxies.

    It asks for files as they are: an encoded one could be a thousand times as large as was sent.
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
    """The content of a small file; `from_host_itself`: no other host may redirect or send it.

    Raises HarnessError with what was seen instead, UnreachableError where it may come back.
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
                        f"{address} is not a list of digests: it is larger than "
                        f"{SMALL_FILE_LIMIT // CHUNK} MiB"
                    )
                _require_time(deadline, address)
    except httpx.HTTPError as error:
        refused = isinstance(error, httpx.HTTPStatusError) and error.response.is_client_error
        kind = HarnessError if refused else UnreachableError
        raise kind(f"{address} could not be had: {_words(error)}", remedy=REMEDY) from error
    return bytes(content)


def download(
    client: httpx.Client,
    address: str,
    file: Path,
    kind: Digest,
    digest: str,
    step: Step,
    clock: Clock = SYSTEM_CLOCK,
) -> None:
    """Bring `file` to hold what `address` gives, resuming where an earlier attempt broke off.

    What an earlier attempt left of another build is thrown away. Raises HarnessError where it
    cannot be had within IMAGE_LIMIT and IMAGE_SECONDS, or where its digest is not `digest`; what
    does not fit is removed.
    """
    refuse_link(file)
    deadline = Deadline(IMAGE_SECONDS, clock)
    begun_earlier = file.exists()
    _fetch(client, address, file, step, deadline)
    if begun_earlier and digest_of(file, kind) != digest.lower():
        step("what was there of it is another build's: downloading all of it")
        file.unlink()
        _fetch(client, address, file, step, deadline)
    found = digest_of(file, kind)
    if found != digest.lower():
        file.unlink()
        raise HarnessError(
            f"{address} has the {kind} {found}, and its list of digests says {digest.lower()}",
            remedy="try again later: the vendor may just be publishing a new build",
        )


def digest_of(file: Path, kind: Digest) -> str:
    """A file's digest in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, str(kind)).hexdigest()


def remove_forgotten(folder: Path) -> list[Path]:
    """Take away what broken downloads left in a folder, where nobody has gone on with them."""
    oldest = time.time() - FORGOTTEN.total_seconds()
    left = [part for part in sorted(folder.glob(f"*{PART}")) if part.lstat().st_mtime < oldest]
    for part in left:
        part.unlink(missing_ok=True)
    return left


def _fetch(client: httpx.Client, address: str, file: Path, step: Step, deadline: Deadline) -> None:
    """All that is not there yet, in several attempts with pauses between them."""
    for pause in (*PAUSES, None):
        try:
            _resume(client, address, file, step, deadline)
            return
        except httpx.HTTPError as error:
            if pause is None or not _may_pass(error):
                raise HarnessError(
                    f"{address} could not be had: {_words(error)}", remedy=REMEDY
                ) from error
            step(f"the download broke off ({_words(error)}), going on in {pause:.0f} s")
        let_pass(pause, (), deadline.clock)
        _require_time(deadline, address)


def _resume(client: httpx.Client, address: str, file: Path, step: Step, deadline: Deadline) -> None:
    have = file.stat().st_size if file.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with _answer(client, address, headers) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all of it is there already; its digest will tell
        answer.raise_for_status()
        resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
        done = have if resumed else 0
        total = done + _length(answer, address)
        _require_room(total, total - done, file, address)
        shown = -1
        with open(file, "ab" if resumed else "wb", opener=without_links) as target:
            for chunk in answer.iter_raw():  # as they arrive: a slow server is noticed, too
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
    """A server's answer, as it is stored there; raises HarnessError for one that is encoded."""
    with client.stream("GET", address, headers=headers) as answer:
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise HarnessError(f"{address} is sent encoded, although it was asked for as it is")
        yield answer


def _require_https(request: httpx.Request) -> None:
    if request.url.scheme != "https":
        raise HarnessError(
            f"{request.url} is not an https address: anybody on the way could change what it gives",
            remedy="give the recipe an https folder that does not lead elsewhere",
        )


def _require_host(answer: httpx.Response, host: str) -> None:
    others = [each.url.host for each in (*answer.history, answer) if each.url.host != host]
    if others:
        raise HarnessError(
            f"the list of digests on {host} comes from {others[0]}, and no signature is verified",
            remedy="supply the vendor's key as docs/reference/profiles.md says, "
            "or name in the recipe the host that has the list itself",
        )


def _length(answer: httpx.Response, address: str) -> int:
    length = answer.headers.get("Content-Length", "")
    if not (length.isascii() and length.isdigit()):
        raise HarnessError(f"{address} does not say how long it is", remedy="use another mirror")
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
            f"{address} needs {missing // CHUNK} MiB, and {file.parent} has {free // CHUNK} free",
            remedy="free some space, or set GUESTCERT_HOME to a larger disk",
        )


def _require_time(deadline: Deadline, address: str) -> None:
    if deadline.passed:
        raise HarnessError(
            f"{address} was not had within {deadline.seconds:.0f} s",
            remedy="try again: what is there of an image is kept for a day",
        )


def _may_pass(error: httpx.HTTPError) -> bool:
    """Whether another attempt may go better: the line broke, or the server is in trouble."""
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
