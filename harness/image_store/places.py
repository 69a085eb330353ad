"""The location of the image store on this host, and the checks of its folder."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

import platformdirs

from harness.errors import HarnessError, UsageError
from harness.image_store.provenance import read_provenance

MARKER = "guestcert-store.json"
"""The file that marks a folder as a store; a folder without it is not changed."""

MARKER_TEXT = '{"guestcert_store": 1}\n'

FOLDERS = frozenset({"images", "runs", "downloads", "packages", "keyrings"})
"""The folders of a store, which are never links."""

FILES = frozenset(
    {"accelerator.json", "networks.lock", "media.json", "media.lock", "media.new", "lost+found"}
)

OTHERS_MAY_ENTER = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
"""Mode of the root: QEMU runs as its own user; secrets in the store have stricter modes."""

REMEDY = "set GUESTCERT_HOME to an empty folder, or to one that does not exist yet"


def store_root() -> Path:
    """$GUESTCERT_HOME, else the system's (as root) or the user's cache folder; created if needed.

    An empty folder becomes a store. Raises UsageError for any other folder that is not a store, or
    that other users can change; HarnessError if it cannot be created.
    """
    root = _location()
    try:
        with suppress(FileExistsError):
            root.mkdir(mode=0o755, parents=True)
        if not root.is_dir():
            raise UsageError(f"the image store {root} is not a folder", remedy=REMEDY)
        if distrust := _distrust(root, os.geteuid()):
            raise UsageError(
                f"the image store {root} cannot be trusted: {distrust}",
                remedy="set GUESTCERT_HOME to a folder that only you can change",
            )
        _require_store(root)
    except OSError as error:
        raise HarnessError(
            f"the image store {root} cannot be created: {error.strerror}",
            remedy="set GUESTCERT_HOME to a folder that you can write",
        ) from error
    return root


def _location() -> Path:
    if named := os.environ.get("GUESTCERT_HOME"):
        return Path(named).expanduser().resolve()
    if os.geteuid() == 0:
        return platformdirs.site_cache_path("guestcert").resolve()
    return platformdirs.user_cache_path("guestcert").resolve()


def _distrust(root: Path, user: int) -> str:
    """The reason why `user` must not write below the folder; empty if nobody else can change it.

    Group write access, common for a user's group, counts for root only. So do the parent folders:
    whoever can rename one of them can replace it with a link.
    """
    if reason := _changeable(root, user, sticky_protects=False):
        return reason
    above = root.parents if user == 0 else ()
    return next(filter(None, (_changeable(each, user, sticky_protects=True) for each in above)), "")


def _changeable(folder: Path, user: int, *, sticky_protects: bool) -> str:
    status = folder.stat()
    if status.st_uid not in (0, user):
        return f"{folder} belongs to the user {status.st_uid}"
    others = stat.S_IWOTH | (stat.S_IWGRP if user == 0 and status.st_gid != 0 else 0)
    protected = sticky_protects and status.st_mode & stat.S_ISVTX
    if status.st_mode & others and not protected:
        return f"others may write in {folder} (mode {stat.S_IMODE(status.st_mode):04o})"
    return ""


def _require_store(root: Path) -> None:
    """Mark an empty folder, or the store of an older guestcert, as the store.

    Raises UsageError for any other folder without the marker, and leaves it unchanged.
    """
    if not _is_marked(root):
        entries = {entry.name for entry in root.iterdir()} - {"lost+found"}
        # Checked again, as another process may just have created it.
        if entries and not _is_older_store(root, entries) and not _is_marked(root):
            raise UsageError(f"{root} is not a guestcert store, and is not empty", remedy=REMEDY)
        if not entries:
            root.chmod(root.stat().st_mode | OTHERS_MAY_ENTER)
        with suppress(FileExistsError):
            _write_marker(root / MARKER)
    for name in sorted(FOLDERS):
        if (root / name).is_symlink():
            raise UsageError(
                f"{root / name} is a link, which is not followed",
                remedy="set GUESTCERT_HOME to the folder that holds the store itself",
            )


def _is_marked(root: Path) -> bool:
    try:
        return stat.S_ISREG((root / MARKER).lstat().st_mode)
    except FileNotFoundError:
        return False


def _write_marker(file: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with open(os.open(file, flags, 0o644), "w", encoding="utf-8") as stream:
        stream.write(MARKER_TEXT)


def _is_older_store(root: Path, entries: set[str]) -> bool:
    """Whether a guestcert before the marker created the folder: it has nothing else in it."""
    strange = entries - FOLDERS - FILES
    if any(not name.startswith("proof-") for name in strange):  # an accelerator's, cut off
        return False
    proofs = [root / "accelerator.json", *(root / "runs").glob("*/owner.json")]
    if any(proof.is_file() and not proof.is_symlink() for proof in proofs):
        return True
    return any(read_provenance(folder) is not None for folder in (root / "images").glob("*/"))
