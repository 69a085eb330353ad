"""Downloads files over HTTP: through the host's proxy, resumed where they broke off, verified."""

from __future__ import annotations

import hashlib
import time
from datetime import timedelta
from pathlib import Path

import httpx

from harness.errors import HarnessError
from harness.image_store.building import Step
from harness.image_store.files import refuse_link, without_links
from harness.image_store.recipe import Digest

PART = ".part"
"""Ends the name of a file that is being downloaded, or was until something broke."""

FORGOTTEN = timedelta(days=1)
"""After so long without a byte nobody goes on with a download."""

ATTEMPTS = 4
CHUNK = 1024 * 1024
SMALL_FILE_LIMIT = 4 * 1024 * 1024
"""Bytes of a list of digests: a server that sends more sends something else."""

TIMEOUT = httpx.Timeout(30.0)
REMEDY = "look whether this host reaches it, and whether HTTPS_PROXY is needed, then try again"


class UnreachableError(HarnessError):
    """A server can't be reached, or is in trouble: what it offers now is not known."""


def open_client() -> httpx.Client:
    """A client that follows redirections and the environment's proxies (HTTPS_PROXY, NO_PROXY)."""
    return httpx.Client(follow_redirects=True, timeout=TIMEOUT)


def fetch_small(client: httpx.Client, address: str) -> bytes:
    """The content of a small file.

    Raises HarnessError with what was seen instead, UnreachableError where it may come back.
    """
    try:
        with client.stream("GET", address) as answer:
            answer.raise_for_status()
            content = bytearray()
            for chunk in answer.iter_bytes():
                content += chunk
                if len(content) > SMALL_FILE_LIMIT:
                    raise HarnessError(f"{address} is no list of digests: it has no end")
    except httpx.HTTPError as error:
        refused = isinstance(error, httpx.HTTPStatusError) and error.response.is_client_error
        kind = HarnessError if refused else UnreachableError
        raise kind(f"{address} could not be had: {_words(error)}", remedy=REMEDY) from error
    return bytes(content)


def download(
    client: httpx.Client, address: str, file: Path, kind: Digest, digest: str, step: Step
) -> None:
    """Bring `file` to hold what `address` gives, going on where an earlier attempt broke off.

    What an earlier attempt left of another build is thrown away. Raises HarnessError where it can't
    be had, or where its digest is not `digest`; what does not fit is removed.
    """
    refuse_link(file)
    begun_earlier = file.exists()
    _fetch(client, address, file, step)
    if begun_earlier and digest_of(file, kind) != digest.lower():
        step("what was there of it is another build's: downloading all of it")
        file.unlink()
        _fetch(client, address, file, step)
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


def _fetch(client: httpx.Client, address: str, file: Path, step: Step) -> None:
    """All that is not there yet, in several attempts."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _go_on(client, address, file, step)
            break
        except httpx.HTTPError as error:
            if attempt == ATTEMPTS or not isinstance(error, httpx.TransportError):
                raise HarnessError(
                    f"{address} could not be had: {_words(error)}", remedy=REMEDY
                ) from error
            step(f"the download broke off ({_words(error)}), going on")


def _go_on(client: httpx.Client, address: str, file: Path, step: Step) -> None:
    have = file.stat().st_size if file.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with client.stream("GET", address, headers=headers) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all of it is there already; its digest will tell
        answer.raise_for_status()
        resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
        length = int(answer.headers.get("Content-Length", 0))
        total = length + (have if resumed else 0)
        done = have if resumed else 0
        with open(file, "ab" if resumed else "wb", opener=without_links) as target:
            for chunk in answer.iter_bytes(CHUNK):
                target.write(chunk)
                done += len(chunk)
                step(f"downloading {address.rpartition('/')[2]}: {_progress(done, total)}")


def _progress(done: int, total: int) -> str:
    mebibytes = f"{done // CHUNK} MiB"
    return f"{mebibytes} of {total // CHUNK}, {100 * done // total} %" if total else mebibytes


def _words(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"the server answered {error.response.status_code} {error.response.reason_phrase}"
    return str(error) or type(error).__name__
