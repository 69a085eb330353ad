"""Password hashes in crypt(3) format."""

from __future__ import annotations

import subprocess

from harness.errors import HarnessError
from harness.image_store.programs import clean_environment


def hash_password(password: str, scheme: str = "6") -> str:
    """The crypt(3) hash of a password, by the openssl program; `scheme`: 6 (SHA-512), 1 (MD5).

    Raises HarnessError if openssl is missing, or the password has a line break.
    """
    if "\n" in password:
        raise HarnessError("a guest's password cannot have a line break")
    try:
        done = subprocess.run(
            ["openssl", "passwd", f"-{scheme}", "-stdin"],
            input=password,
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
            env=clean_environment(),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise HarnessError(
            f"openssl could not hash a password: {error}", remedy="install the package openssl"
        ) from error
    return done.stdout.strip()
