"""Product keys of the user, from the environment or the keyring; guestcert does not store them."""

from __future__ import annotations

import os
import re

import keyring
from keyring.errors import KeyringError

from harness.errors import UsageError
from harness.profiles.model import Method, Profile

SERVICE = "guestcert"
"""The keyring service of the keys; the user name is the profile's id."""

KEY = re.compile(r"([A-Za-z0-9]{5}-){4}[A-Za-z0-9]{5}")


def variable(profile: Profile) -> str:
    """The environment variable that may hold a guest's key."""
    return "GUESTCERT_KEY_" + re.sub(r"[^A-Z0-9]", "_", profile.id.upper())


def product_key(profile: Profile) -> str | None:
    """The user's key for a guest, or None.

    Raises UsageError if it does not have the format of a key, or if a required key is missing.
    """
    key = os.environ.get(variable(profile)) or _from_keyring(profile)
    if key is not None and not KEY.fullmatch(key.strip()):
        raise UsageError(
            f"{variable(profile)}, or the keyring, holds no product key for {profile.id}",
            remedy="a key is five groups of five letters and digits, joined by hyphens",
        )
    if key is None and Method.WINNT_SIF in profile.provisioning:
        raise UsageError(
            f"{profile.id} needs a product key, and the vendor publishes none",
            remedy=f"set {variable(profile)}, or run: keyring set {SERVICE} {profile.id}",
        )
    return key.strip().upper() if key else None


def _from_keyring(profile: Profile) -> str | None:
    try:
        return keyring.get_password(SERVICE, profile.id)
    except KeyringError:
        return None  # this host has no keyring, or it is locked
