"""Vendors' checksum lists, in every common format."""

from __future__ import annotations

import difflib
import fnmatch
import re
from pathlib import Path

import httpx

from harness.errors import HarnessError
from harness.image_store.builder import StepReporter
from harness.image_store.download import fetch_small
from harness.image_store.recipe import Checksums, Digest
from harness.image_store.signatures import keyring_for, verified
from harness.text import natural_order

HEX_LENGTH = {Digest.SHA256: 64, Digest.SHA512: 128}

COREUTILS = re.compile(r"(?P<digest>[0-9a-fA-F]{32,128})[ \t]+\*?(?P<name>\S.*)")
"""A line in sha256sum's format, also as written by hand."""

BSD = re.compile(
    r"SHA(2-)?(?P<bits>256|512) ?\((?P<name>[^)]+)\) ?= ?(?P<digest>[0-9a-fA-F]{64,128})"
)
"""A line in the format of `sha256sum --tag`, the BSDs and openssl."""


def published(
    client: httpx.Client,
    folder: str,
    checksums: Checksums,
    image: str,
    keyrings: Path,
    step: StepReporter = lambda _: None,
) -> tuple[str, str]:
    """The name and digest of the newest file that matches the pattern `image`.

    `keyrings` holds the keys that the user supplied. Raises HarnessError if the list cannot be
    downloaded, lacks the required signature, or lists no such file.
    """
    folder = folder.rstrip("/")
    address = f"{folder}/{checksums.file}"
    keyring = keyring_for(checksums, keyrings)
    content = fetch_small(client, address, from_host_itself=keyring is None)
    if keyring is None and checksums.signer is not None:
        step(f"{address}: signature not verified, no key {checksums.signer} in {keyrings}")
    elif keyring is not None:
        signature = None
        if checksums.signature is not None:
            signature = fetch_small(client, f"{folder}/{checksums.signature}")
        content = verified(content, signature, keyring, checksums.signer, address)
    listed = digests_in(content.decode("utf-8-sig", errors="replace"), checksums.algorithm)
    name = newest(image, list(listed))
    if name is None:
        raise _not_listed(address, image, list(listed), checksums.algorithm)
    if len(listed[name]) > 1:
        raise HarnessError(
            f"{address} lists {name} with {len(listed[name])} different digests",
            remedy="name another list in the recipe",
        )
    return name, next(iter(listed[name]))


def newest(pattern: str, names: list[str]) -> str | None:
    """The last matching name in natural order (image-10 after image-9), or None."""
    return max(fnmatch.filter(names, pattern), key=natural_order, default=None)


def digests_in(text: str, kind: Digest) -> dict[str, frozenset[str]]:
    """Digests by file name, from a list of any format; digests of other algorithms are skipped.

    Folders in names are dropped: lists are written where images are built.
    """
    found: dict[str, frozenset[str]] = {}
    for line in text.splitlines():
        match = BSD.fullmatch(line.strip()) or COREUTILS.fullmatch(line.strip())
        if match is None or len(match["digest"]) != HEX_LENGTH[kind]:
            continue
        name = match["name"].replace("\\", "/").rpartition("/")[2]
        found[name] = found.get(name, frozenset()) | {match["digest"].lower()}
    return found


def _not_listed(address: str, image: str, names: list[str], kind: Digest) -> HarnessError:
    if not names:
        return HarnessError(
            f"{address} has no line with the {kind} of a file",
            remedy="check that the recipe's checksums name the right file and algorithm",
        )
    near = difflib.get_close_matches(image, names[:1000], n=3, cutoff=0.4)
    return HarnessError(
        f"{address} does not list the file {image}",
        remedy=f"use one of the listed names in the recipe: {', '.join(near or names[:3])}",
    )
