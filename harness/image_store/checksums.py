"""Vendors' lists of digests: which file has which digest, and who signed the list."""

from __future__ import annotations

import fnmatch
import re
import subprocess
import tempfile
from pathlib import Path

import httpx

from harness.errors import HarnessError
from harness.image_store.download import fetch_small
from harness.image_store.recipe import Checksums, Digest

HEX_LENGTH = {Digest.SHA256: 64, Digest.SHA512: 128}

COREUTILS = re.compile(r"^(?P<digest>[0-9a-fA-F]+) [ *](?:\./)?(?P<name>[^/\n]+)$", re.MULTILINE)
"""A line as sha256sum prints it."""

BSD = re.compile(
    r"^(?P<kind>SHA256|SHA512) \((?P<name>[^/)\n]+)\) = (?P<digest>[0-9a-fA-F]+)$", re.M
)
"""A line as `sha256sum --tag` and the BSDs print it."""


def published(
    client: httpx.Client, folder: str, checksums: Checksums, image: str
) -> tuple[str, str]:
    """The name of the newest file that `image` (a pattern) names, and its digest.

    Raises HarnessError where the list can't be had, is not signed by whom it should, or names none.
    """
    address = f"{folder.rstrip('/')}/{checksums.file}"
    content = fetch_small(client, address)
    if checksums.keyring is not None:
        signature = None
        if checksums.signature is not None:
            signature = fetch_small(client, f"{folder.rstrip('/')}/{checksums.signature}")
        content = _verified(content, signature, checksums, address)
    digests = digests_in(content.decode("utf-8", errors="replace"), checksums.algorithm)
    names = sorted(fnmatch.filter(digests, image), key=_as_people_sort)
    if not names:
        raise HarnessError(
            f"{address} lists no file {image}", remedy="look there how it is called now"
        )
    return names[-1], digests[names[-1]]


def digests_in(text: str, kind: Digest) -> dict[str, str]:
    """Digests by file name, from a list of either form; digests of another kind are passed over."""
    found = {}
    for match in COREUTILS.finditer(text):
        if len(match["digest"]) == HEX_LENGTH[kind]:
            found[match["name"].strip()] = match["digest"].lower()
    for match in BSD.finditer(text):
        if match["kind"].lower() == kind:
            found[match["name"].strip()] = match["digest"].lower()
    return found


def _verified(content: bytes, signature: bytes | None, checksums: Checksums, address: str) -> bytes:
    """What was signed, by gpgv; a list that carries its signature in itself is unwrapped."""
    assert checksums.keyring is not None
    if not checksums.keyring.exists():
        raise HarnessError(
            f"the keys {checksums.keyring} that verify {address} are not on this host",
            remedy=f"install {checksums.keyring_package or 'them'}",
        )
    with tempfile.TemporaryDirectory() as work:
        listed, detached, signed = (Path(work) / name for name in ("list", "list.sig", "signed"))
        listed.write_bytes(content)
        command = ["gpgv", "--quiet", "--keyring", str(checksums.keyring)]
        if signature is None:
            command += ["--output", str(signed), str(listed)]
        else:
            detached.write_bytes(signature)
            command += [str(detached), str(listed)]
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=60)
        except FileNotFoundError as error:
            raise HarnessError(
                "gpgv is not installed", remedy="install the package gpgv"
            ) from error
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
            words = said[-1] if said else "gpgv said nothing"
            raise HarnessError(
                f"{address} is not signed by {checksums.keyring}: {words}",
                remedy="do not use it; look whether the vendor has changed its keys",
            )
        return content if signature is not None else signed.read_bytes()


def _as_people_sort(name: str) -> list[tuple[int, str]]:
    """image-9 before image-10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
