"""Where the image store is on this host."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from harness.errors import HarnessError


def store_root() -> Path:
    """$GUESTCERT_HOME, else a cache folder of the system (as root) or of the user; made if needed.

    QEMU runs as a user of its own, so the folder can be entered by everybody; what is secret in
    it has its own mode.
    """
    named = os.environ.get("GUESTCERT_HOME")
    if named:
        root = Path(named).expanduser().resolve()
    elif os.geteuid() == 0:
        root = platformdirs.site_cache_path("guestcert")
    else:
        root = platformdirs.user_cache_path("guestcert")
    try:
        root.mkdir(parents=True, exist_ok=True)
        root.chmod(0o755)
    except OSError as error:
        raise HarnessError(
            f"the image store {root} can not be made: {error.strerror}",
            remedy="set GUESTCERT_HOME to a folder that you can write",
        ) from error
    return root
