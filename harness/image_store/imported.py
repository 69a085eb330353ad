"""Imports the user's disk images, in any single-file format."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import pwd
import shutil
import stat
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError, UsageError
from harness.image_store import qemu_img
from harness.image_store.builder import IMAGE, LOG, Material, StepReporter
from harness.image_store.formats.identification import identify
from harness.image_store.formats.reader import Disk, Reader
from harness.image_store.programs import ProgramFailed
from harness.image_store.recipe import ImportRecipe, Recipe

PIECE = 1024 * 1024
"""Bytes copied at once; a piece of zeros becomes a hole in the copy."""

WRITTEN, RESIZED, NOT_TO_BE_READ = 101, 103, 200
"""Offsets that QEMU locks in a file to write, to resize it, or to forbid others to read it.

Source: QEMU's block/file-posix.c, RAW_LOCK_PERM_BASE and RAW_LOCK_SHARED_BASE.
"""

LOCK = "hhqqi4x"
"""struct flock of a 64-bit Linux: kind, whence, start, length, process."""

SPARE_BYTES = 64 * 1024 * 1024
"""Free space in bytes to leave on the store's disk: below it, a failure may be due to a full
disk."""


GROWTH = 4 * 1024 * 1024
"""Bytes that qemu-img writes at once: a file with less space left counts as full."""

SIGNS_OF_CHANGE = ("st_size", "st_mtime_ns", "st_ctime_ns")


class Import:
    """See Builder. It only reads the user's file."""

    def inputs(self, recipe: Recipe, step: StepReporter) -> Mapping[str, str]:
        """See Builder: the file's digest."""
        assert isinstance(recipe, ImportRecipe)
        with opened(recipe.file) as source:
            return {"digest": source.digest(), "qemu-img": qemu_img.version()}

    def build(self, recipe: Recipe, folder: Path, step: StepReporter) -> tuple[Material, ...]:
        """See Builder."""
        assert isinstance(recipe, ImportRecipe)
        step(f"copying {recipe.file.name}")
        with opened(recipe.file) as source:
            return (Material(recipe.file.name, source.convert(folder)),)


@contextmanager
def opened(file: Path) -> Iterator[ForeignImage]:
    """A foreign disk image, open for the duration of the block.

    Raises UsageError if it is not a file, in use, or not a supported disk image.
    """
    try:
        path = file.resolve(strict=True)
        if not stat.S_ISREG(path.lstat().st_mode):  # opening a device may have side effects
            raise UsageError(f"the image {file} is not a file", remedy="use a disk image")
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC
        descriptor = os.open(path, flags)
    except FileNotFoundError as error:
        raise UsageError(
            f"the image {file} does not exist", remedy="use the path of a disk image"
        ) from error
    except (OSError, RuntimeError) as error:  # RuntimeError: a cycle of links
        cause = error.strerror if isinstance(error, OSError) else "its links form a cycle"
        raise UsageError(f"the image {file} cannot be read: {cause}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"the image {file} is not a file", remedy="use a disk image")
        _require_unused(descriptor, file)
        disk = identify(Reader(descriptor, status.st_size, str(file)))
        yield ForeignImage(file, descriptor, status, disk)
    finally:
        os.close(descriptor)


def examine(file: Path) -> None:
    """Examine a foreign image without copying it. Raises UsageError like `opened`."""
    with opened(file):
        pass


@dataclass(frozen=True)
class ForeignImage:
    """An open image file; its headers describe `disk`."""

    file: Path
    descriptor: int
    status: os.stat_result
    disk: Disk

    def digest(self) -> str:
        """The SHA-256 of the file. Raises UsageError if it changes meanwhile."""
        return self._copy(None)

    def convert(self, folder: Path, wanted: str | None = None) -> str:
        """Write it as `folder`/IMAGE (qcow2, without a backing file); returns its SHA-256.

        A private copy is checked and converted. Raises UsageError if the file is damaged, changes
        meanwhile, or its digest is not the `wanted` one; HarnessError if there is not enough space,
        or the program fails.
        """
        work = folder / "intake"
        work.mkdir(mode=0o700)
        try:
            source, target = work / "source", work / IMAGE
            with source.open("xb") as copy:
                digest = self._copy(copy.fileno())
            if wanted is not None and digest != wanted:
                raise self._changed()
            _hand_over(work, source, target)
            self._convert(source, target, folder / LOG)
            target.rename(folder / IMAGE)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return digest

    def _copy(self, target: int | None) -> str:
        """Read the file, and copy it to `target` if given; returns the SHA-256."""
        found = hashlib.sha256()
        if target is not None:
            if self.status.st_blocks * 512 > _room(target):
                raise _no_room(self.file)
            os.ftruncate(target, self.status.st_size)
        try:
            for offset in range(0, self.status.st_size, PIECE):
                piece = os.pread(self.descriptor, PIECE, offset)
                found.update(piece)
                if target is not None and piece.count(0) != len(piece):
                    os.pwrite(target, piece, offset)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise _no_room(self.file) from error
            raise UsageError(f"{self.file} cannot be read: {error.strerror}") from error
        now = os.fstat(self.descriptor)
        if any(getattr(now, what) != getattr(self.status, what) for what in SIGNS_OF_CHANGE):
            raise self._changed()
        _require_unused(self.descriptor, self.file)
        return found.hexdigest()

    def _convert(self, source: Path, target: Path, log: Path) -> None:
        with source.open("rb") as copy:
            disk = identify(Reader(copy.fileno(), self.status.st_size, str(self.file)))
        room = _room(target.parent)
        try:
            qemu_img.check_foreign(source, disk)
            qemu_img.convert_foreign(source, disk, target, room, log)
        except ProgramFailed as failure:
            outgrown = target.stat().st_size + GROWTH > room
            if outgrown or _room(target.parent) < SPARE_BYTES:
                raise _no_room(self.file) from failure
            raise self._reason(failure, disk) from failure
        finally:
            os.chown(target, os.geteuid(), os.getegid())
        with target.open("rb") as made:
            written = identify(Reader(made.fileno(), target.stat().st_size, str(target)))
        if written.size != disk.size:
            raise UsageError(
                f"{self.file} is damaged: its header states {disk.size} bytes, and qemu-img reads "
                f"{written.size}"
            )

    def _reason(self, failure: ProgramFailed, disk: Disk) -> Exception:
        """The error of a failed conversion of a private copy, if there was enough space."""
        if failure.status is None:
            return HarnessError(
                f"qemu-img did not convert {self.file} in time: {failure.sentence}",
                remedy=f"qemu-img convert -O qcow2 {self.file} new.qcow2, and use that",
            )
        words = " ".join(failure.output.split())[:400] or f"it ended with {failure.status}"
        if disk.log:
            return UsageError(
                f"{self.file} was not closed well, and has a log that was not replayed; qemu-img "
                f"reports: {words}",
                remedy=f"shut its machine down, or replay it: qemu-img check -r all {self.file}",
            )
        return UsageError(
            f"{self.file} is damaged; qemu-img reports: {words}",
            remedy=f"build or download it again, or repair it: qemu-img check -r all {self.file}",
        )

    def _changed(self) -> UsageError:
        return UsageError(
            f"{self.file} changed while it was read", remedy="wait until its build has ended"
        )


def _hand_over(work: Path, source: Path, target: Path) -> None:
    """Give the converting user, and no other, access to the copy and the result."""
    target.touch(mode=0o600, exist_ok=False)
    if os.geteuid() == 0:
        account = pwd.getpwnam(qemu_img.UNPRIVILEGED)
        for path, mode in ((work, 0o710), (source, 0o640)):
            os.chown(path, 0, account.pw_gid)
            path.chmod(mode)
        os.chown(target, account.pw_uid, account.pw_gid)


def _require_unused(descriptor: int, file: Path) -> None:
    """Raise UsageError if another process has the image open for writing."""
    for byte in (WRITTEN, RESIZED, NOT_TO_BE_READ):
        asked = struct.pack(LOCK, fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
        try:
            answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, asked)
        except OSError:  # a file system without locks
            return
        if struct.unpack(LOCK, answer)[0] != fcntl.F_UNLCK:
            raise UsageError(
                f"{file} is in use: another process writes to it",
                remedy="shut that machine down (fuser shows the process), and try again",
            )


def _room(where: int | Path) -> int:
    """Free bytes on the disk of an open file or a folder."""
    disk = os.statvfs(where)
    return disk.f_bavail * disk.f_frsize - SPARE_BYTES


def _no_room(file: Path) -> HarnessError:
    return HarnessError(
        f"there is not enough space in the store for {file}",
        remedy="free some space, or set GUESTCERT_HOME to a larger disk",
    )
