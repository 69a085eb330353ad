"""Reads the headers of a foreign disk image: bounded, and never past its end."""

from __future__ import annotations

import os
import struct
import sys
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

AGAIN = "download, copy or build it again, and compare its size and checksum with the source's"

MOST_BYTES = 2 * 1024 * 1024
"""Limit of one read, in bytes: the largest cluster of a qcow2."""

MOST_ENTRIES = 64 * 1024 * 1024
"""Limit of examined table entries: those of a full disk of 4 TiB."""

SHOWN = 200
"""Limit of a shown name from a foreign file, in characters."""


class UnfitError(Exception):
    """The reason why a file is unfit as a disk image, to follow its name; and the remedy."""

    def __init__(self, problem: str, remedy: str | None = None) -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(problem)


@dataclass(frozen=True)
class Disk:
    """A disk as stated by its header: QEMU's name of the format, and the guest's bytes.

    `options` are more of QEMU's options for the format; `log`: a log in it was never replayed.
    """

    driver: str
    size: int
    options: Mapping[str, str] = field(default_factory=dict)
    log: bool = False


@dataclass(frozen=True)
class Reader:
    """The bytes of an opened file of `length` bytes; `name` is for remedies alone."""

    descriptor: int
    length: int
    name: str

    def read(self, offset: int, count: int) -> bytes:
        """`count` bytes from `offset` on. Raises UnfitError if the file ends before."""
        if offset < 0 or not 0 <= count <= MOST_BYTES:
            raise UnfitError("is damaged: its header makes no sense", AGAIN)
        if offset + count > self.length:
            raise truncated(offset + count, self.length)
        found = os.pread(self.descriptor, count, offset)
        if len(found) != count:
            raise truncated(offset + count, offset + len(found))
        return found

    def numbers(self, offset: int, form: str) -> tuple[Any, ...]:
        """The values at `offset`, in a format of the module struct."""
        return struct.unpack(form, self.read(offset, struct.calcsize(form)))

    def table(self, offset: int, entries: int, form: str, *, swapped: bool) -> array[int]:
        """So many numbers of an array type from `offset` on; `swapped`: they are big endian."""
        found = array(form)
        most = MOST_BYTES // found.itemsize
        for start in range(0, entries, most):
            part = min(most, entries - start) * found.itemsize
            found.frombytes(self.read(offset + start * found.itemsize, part))
        if swapped == (sys.byteorder == "little"):
            found.byteswap()
        return found

    def start(self, count: int) -> bytes:
        """The first bytes, fewer if the file has fewer."""
        return self.read(0, min(count, self.length))


def truncated(needed: int, length: int) -> UnfitError:
    """The error of a file that is shorter than its header states."""
    return UnfitError(f"is damaged: it should have {needed} bytes, and has {length}", AGAIN)


def leaning(name: str, other: str) -> UnfitError:
    """The error of a file that depends on another one."""
    return UnfitError(
        f"depends on another file ({other}), which is not supported",
        f"flatten it where that file is: qemu-img convert -O qcow2 {name} flat.qcow2",
    )


def shown(text: bytes) -> str:
    """A name from a foreign file, for a message."""
    return repr(text[:SHOWN].decode("utf-8", errors="replace"))
