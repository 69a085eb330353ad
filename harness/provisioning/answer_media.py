"""Writes answer files where installers look: CD, floppy, initrd, or a copy of the medium."""

from __future__ import annotations

import gzip
import io
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pycdlib.pycdlib import PyCdlib
from pycdlib.pycdlibexception import PyCdlibException

from harness.errors import UsageError
from harness.image_store.private import new_private_file
from harness.image_store.programs import run_program
from harness.provisioning.answer_files import AnswerFile, AnswerSet, Location

FLOPPY_BYTES = 1440 * 1024


@dataclass(frozen=True)
class AnswerMedia:
    """The media of an installation; None if the method does not need one."""

    cd: Path | None = None
    floppy: Path | None = None
    initrd_tail: Path | None = None  # an archive to append to the installer's initrd
    medium: Path | None = None  # a copy of the vendor's medium with the answer files


def write_media(answers: AnswerSet, folder: Path, medium: Path | None = None) -> AnswerMedia:
    """Write the media of an answer set to `folder`; only the owner can read them.

    Raises UsageError if the vendor's `medium` is needed and cannot be copied with answer files.
    """
    made: dict[str, Path] = {}
    for place, name, write in (
        (
            Location.CD,
            "answers.iso",
            lambda files, file: write_iso(files, file, answers.label),
        ),
        (Location.FLOPPY, "answers.img", _write_floppy),
        (Location.INITRD, "answers.cpio.gz", _write_archive),
    ):
        files = [file for file in answers.files if file.location is place]
        if files:
            target = folder / name
            write(files, new_private_file(target))
            made[str(place)] = target
    changed = [file for file in answers.files if file.location is Location.MEDIUM]
    if changed and medium is not None:
        made["medium"] = _change_medium(changed, medium, folder / "medium.iso")
    return AnswerMedia(made.get("cd"), made.get("floppy"), made.get("initrd"), made.get("medium"))


def write_iso(files: Sequence[AnswerFile], target: Path, label: str) -> None:
    """Write a CD with the files, for ISO 9660, Rock Ridge and Joliet readers."""
    iso = PyCdlib()
    iso.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=label)
    folders: set[PurePosixPath] = set()
    for number, file in enumerate(files):
        path = PurePosixPath(file.path)
        for parent in reversed(path.parents[:-1]):
            if parent not in folders:
                plain = f"/{parent}".upper()
                iso.add_directory(plain, rr_name=parent.name, joliet_path=f"/{parent}")
                folders.add(parent)
        plain = f"/{path.parent}/F{number}.;1".upper().replace("/./", "/")
        iso.add_fp(
            io.BytesIO(file.content),
            len(file.content),
            plain,
            rr_name=path.name,
            joliet_path=f"/{path}",
        )
    iso.write(str(target))
    iso.close()


def join_initrd(initrd: Path, tail: Path | None, target: Path) -> None:
    """Append an archive to an initrd: the kernel unpacks one after the other.

    Only the owner can read the result, as it holds the answers.
    """
    with new_private_file(target).open("wb") as joined:
        for part in (initrd, tail):
            if part is None:
                continue
            with part.open("rb") as source:
                shutil.copyfileobj(source, joined)
            joined.write(bytes(-joined.tell() % 4))  # the alignment of an archive


def extract(medium: Path, names: Sequence[str], target: Path) -> None:
    """Copy the first of `names` that is on a medium. Raises UsageError if none is."""
    iso = PyCdlib()
    try:
        iso.open(str(medium))
    except (PyCdlibException, OSError) as error:
        raise UsageError(f"{medium} cannot be read as an ISO image: {error}") from error
    try:
        for name in names:
            for facade in _facades(iso):
                try:
                    with target.open("wb") as file:
                        iso.get_file_from_iso_fp(file, **{facade: _path(facade, name)})
                except PyCdlibException:
                    continue
                return
    finally:
        iso.close()
    target.unlink(missing_ok=True)
    raise UsageError(
        f"{medium} has none of {', '.join(names)}: it is not an installation medium of this guest",
        remedy="run `guestcert media identify FILE` to see what it is",
    )


def _facades(iso: PyCdlib) -> list[str]:
    found = []
    if iso.has_udf():
        found.append("udf_path")
    if iso.has_rock_ridge():
        found.append("rr_path")
    if iso.has_joliet():
        found.append("joliet_path")
    return [*found, "iso_path"]


def _path(facade: str, name: str) -> str:
    if facade != "iso_path":
        return f"/{name}"
    stem, dot, ending = PurePosixPath(name).name.partition(".")
    folder = "" if "/" not in name else f"/{PurePosixPath(name).parent}"
    return f"{folder}/{stem}.{ending if dot else ''};1".upper()


def _write_floppy(files: Sequence[AnswerFile], target: Path) -> None:
    image = str(target)
    with target.open("wb") as file:
        file.truncate(FLOPPY_BYTES)
    run_program(["mformat", "-i", image, "-f", "1440", "::"])
    folders: set[PurePosixPath] = set()
    for entry in files:
        path = PurePosixPath(entry.path)
        for parent in reversed(path.parents[:-1]):
            if parent not in folders:
                run_program(["mmd", "-i", image, f"::/{parent}"])
                folders.add(parent)
        content = target.with_name("entry")
        new_private_file(content).write_bytes(entry.content)
        run_program(["mcopy", "-i", image, str(content), f"::/{path}"])
        content.unlink()


def _write_archive(files: Sequence[AnswerFile], target: Path) -> None:
    """A gzipped cpio archive in the format newc of the kernel's initramfs."""
    archive = archive_of((file.path, file.content, 0o100600) for file in files)
    target.write_bytes(gzip.compress(archive, mtime=0))


def archive_of(members: Iterable[tuple[str, bytes, int]]) -> bytes:
    """A cpio archive for the kernel: names, contents and modes, folders first."""
    archive = bytearray()
    for number, (name, content, mode) in enumerate(members, start=1):
        archive += _member(name, content, number, mode)
    return bytes(archive + _member("TRAILER!!!", b"", 0, 0))


def _member(name: str, content: bytes, inode: int, mode: int) -> bytes:
    encoded = name.encode() + b"\0"
    numbers = (inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
    header = b"070701" + b"".join(f"{number:08X}".encode() for number in numbers)
    head = header + encoded
    return head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)


def _change_medium(files: Sequence[AnswerFile], medium: Path, target: Path) -> Path:
    """Copy a vendor's medium with the answer files added; it stays bootable."""
    new_private_file(target)
    iso = PyCdlib()
    try:
        iso.open(str(medium))
        for number, file in enumerate(files):
            path = PurePosixPath(file.path)
            plain = f"/{path.parent}/GUESTC{number}.;1".upper()
            names: dict[str, Any] = {"rr_name": path.name} if iso.has_rock_ridge() else {}
            if iso.has_joliet():
                names["joliet_path"] = f"/{path}"
            iso.add_fp(io.BytesIO(file.content), len(file.content), plain, **names)
        iso.write(str(target))
        iso.close()
    except (PyCdlibException, OSError) as error:
        raise UsageError(f"{medium} cannot be copied with answer files: {error}") from error
    return target
