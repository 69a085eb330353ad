"""Product keys: the user's, from the environment or the keyring, and stored nowhere of ours."""

from __future__ import annotations

import os
import re

import keyring
from keyring.errors import KeyringError

from harness.errors import UsageError
from harness.profiles.model import Method, Profile

SERVICE = "guestcert"
"""Under which the keyring holds keys, each by its profile's id."""

KEY = re.compile(r"([A-Za-z0-9]{5}-){4}[A-Za-z0-9]{5}")


def variable(profile: Profile) -> str:
    """The environment variable that may hold a guest's key."""
    return "GUESTCERT_KEY_" + re.sub(r"[^A-Z0-9]", "_", profile.id.upper())


def product_key(profile: Profile) -> str | None:
    """The user's key for a guest, where one is given.

    Raises UsageError where it does not look like a key, or where there must be one and is none.
    """
    key = os.environ.get(variable(profile)) or _from_keyring(profile)
    if key is not None and not KEY.fullmatch(key.strip()):
        raise UsageError(
            f"{variable(profile)}, or the keyring, holds no product key for {profile.id}",
            remedy="a key is five groups of five letters and digits, joined by hyphens",
        )
    if key is None and Method.WINNT_SIF in profile.provisioning:
        raise UsageError(
            f"{profile.id} is not set up without a product key, and its vendor publishes none",
            remedy=f"set {variable(profile)}, or run: keyring set {SERVICE} {profile.id}",
        )
    return key.strip().upper() if key else None


def _from_keyring(profile: Profile) -> str | None:
    try:
        return keyring.get_password(SERVICE, profile.id)
    except KeyringError:
        return None  # this host has no keyring, or it is locked
