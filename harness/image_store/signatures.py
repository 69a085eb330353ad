"""Verifies signatures of vendors' checksum lists with gpgv and keys of this host."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from harness.errors import HarnessError
from harness.image_store.recipe import Checksums

VALID = "[GNUPG:] VALIDSIG "
"""Start of gpgv's line about a good signature; its last word is the primary key's fingerprint.

Source: GnuPG, doc/DETAILS, "Format of the --status-fd output".
"""


def keyring_for(checksums: Checksums, keyrings: Path) -> Path | None:
    """The keyring for a list: a package's, or the user's; None if the user supplied none.

    Raises HarnessError if a package's keyring is missing.
    """
    if checksums.keyring is not None:
        if not checksums.keyring.exists():
            raise HarnessError(
                f"the keys {checksums.keyring} that verify {checksums.file} are not on this host",
                remedy=f"install {checksums.keyring_package or 'them'}",
            )
        return checksums.keyring
    if checksums.signer is None:
        return None
    supplied = keyrings / f"{checksums.signer}.gpg"
    return supplied if supplied.is_file() else None


def verified(
    content: bytes, signature: bytes | None, keyring: Path, signer: str | None, address: str
) -> bytes:
    """The signed content; a list with an inline signature is unwrapped.

    Raises HarnessError without a signature by a key of the keyring, and by `signer` if given.
    """
    with tempfile.TemporaryDirectory() as work:
        listed, detached, signed = (Path(work) / name for name in ("list", "list.sig", "signed"))
        listed.write_bytes(content)
        command = ["gpgv", "--quiet", "--status-fd", "1", "--keyring", str(keyring.absolute())]
        if signature is None:
            command += ["--output", str(signed), str(listed)]
        else:
            detached.write_bytes(signature)
            command += [str(detached), str(listed)]
        status = _run(command, keyring, address)
        signers = {line.split()[-1] for line in status.splitlines() if line.startswith(VALID)}
        if not signers or (signer is not None and signer not in signers):
            raise _unsigned(address, keyring, f"it is signed by {', '.join(signers) or 'nobody'}")
        return content if signature is not None else signed.read_bytes()


def _run(command: list[str], keyring: Path, address: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    except FileNotFoundError as error:
        raise HarnessError("gpgv is not installed", remedy="install the package gpgv") from error
    except subprocess.TimeoutExpired as error:
        raise HarnessError(f"gpgv did not finish on {address}") from error
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
        raise _unsigned(address, keyring, lines[-1] if lines else "gpgv gave no reason")
    return done.stdout.decode("utf-8", errors="replace")


def _unsigned(address: str, keyring: Path, why: str) -> HarnessError:
    return HarnessError(
        f"{address} is not signed by {keyring}: {why}",
        remedy="do not use it; check whether the vendor changed its keys",
    )
