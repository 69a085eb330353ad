"""Disk images of every format, for what takes them in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.image_store.builder import IMAGE
from harness.image_store.imported import opened

MIB = 2**20
SIZE = 8 * MIB

WORDS = b"GENERATION ONE"


def run(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True, timeout=60)


def plain_disk(folder: Path) -> Path:
    """A raw disk with a boot sector, words in its middle and in its last sector."""
    disk = folder / "plain.raw"
    content = bytearray(SIZE)
    content[510:512] = b"\x55\xaa"
    content[SIZE // 2 : SIZE // 2 + len(WORDS)] = WORDS
    content[-512:-498] = b"THE VERY END.."
    content[3 * MIB : 3 * MIB + 65536] = os.urandom(65536)
    disk.write_bytes(content)
    return disk


def made(plain: Path, form: str, *options: str, compressed: bool = False) -> Path:
    """The plain disk in another format."""
    other = plain.with_name("other.img")
    given = ["-o", ",".join(options)] if options else []
    squeeze = ["-c"] if compressed else []
    run("qemu-img", "convert", "-f", "raw", "-O", form, *given, *squeeze, plain, other)
    return other


def taken(file: Path) -> bytes:
    """What a guest would find on its disk, after the image was taken."""
    folder = file.parent / "store"
    folder.mkdir()
    with opened(file) as source:
        assert source.convert(folder, source.digest()) == source.digest()
    left = {entry.name for entry in folder.iterdir()}
    assert left == {IMAGE, "build.log"}
    raw = folder / "raw"
    run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", folder / IMAGE, raw)
    return raw.read_bytes()


def refused(file: Path, words: str) -> UsageError:
    """The refusal of a file: at the first look, or when it is taken; a file is never left."""
    folder = file.parent / "store"
    folder.mkdir()
    with pytest.raises(UsageError, match=words) as caught, opened(file) as source:
        source.convert(folder)
    assert caught.value.exit_code == 2
    assert not (folder / IMAGE).exists()
    assert not (folder / "intake").exists()
    return caught.value
