"""Protects files and folders from other users of the host, except QEMU's user."""

from __future__ import annotations

import errno
import os
import pwd
import re
import stat
import struct
from pathlib import Path

QEMU_USERS = ("libvirt-qemu", "qemu")
"""The users of QEMU under the system's libvirt: Debian's name, and the usual one."""

QEMU_CONFIGURATION = Path("/etc/libvirt/qemu.conf")
"""The configuration of another user, as `user = "NAME"` or `user = "+ID"`."""

USER_LINE = re.compile(r'^[ \t]*user[ \t]*=[ \t]*"([^"\n]+)"', re.MULTILINE)

ACL = "system.posix_acl_access"
"""The extended attribute that holds a file's access control list (acl(5))."""

ACL_VERSION = 2
OWNER, USER, GROUP, MASK, OTHERS = 0x01, 0x02, 0x04, 0x10, 0x20
"""Kinds of its entries; this and their layout is of Linux' include/uapi/linux/posix_acl_xattr.h."""

NOBODY_IN_PARTICULAR = 0xFFFFFFFF
EVERYTHING, PASS_THROUGH, NOTHING = 0o7, 0o1, 0o0


def make_private(folder: Path) -> None:
    """Restrict a folder to its owner and QEMU's user, who may traverse but not list it.

    Its files need no mode of their own. On a file system without access control lists every user
    may traverse it.
    """
    folder.chmod(0o700)
    user = _qemu_user()
    if user is None or user == os.geteuid():
        return
    entries = (
        (OWNER, EVERYTHING, NOBODY_IN_PARTICULAR),
        (USER, PASS_THROUGH, user),
        (GROUP, NOTHING, NOBODY_IN_PARTICULAR),
        (MASK, PASS_THROUGH, NOBODY_IN_PARTICULAR),
        (OTHERS, NOTHING, NOBODY_IN_PARTICULAR),
    )
    listed = b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(folder, ACL, struct.pack("<I", ACL_VERSION) + listed)
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.EINVAL):
            raise
        folder.chmod(0o711)


def new_private_file(file: Path) -> Path:
    """Create an empty file that only its owner can read, replacing an existing one."""
    file.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    os.close(os.open(file, flags, stat.S_IRUSR | stat.S_IWUSR))
    return file


def _qemu_user() -> int | None:
    """The id of QEMU's user on this host; None if the system's libvirt is not installed."""
    try:
        configured = USER_LINE.search(QEMU_CONFIGURATION.read_text(errors="replace"))
    except OSError:  # not installed, or not readable for this user
        configured = None
    if configured is not None and configured[1].removeprefix("+").isdecimal():
        return int(configured[1].removeprefix("+"))
    for name in (configured[1],) if configured is not None else QEMU_USERS:
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    return None
