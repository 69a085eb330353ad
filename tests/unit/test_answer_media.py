"""Media with answers, read back by other programs: CD, floppy, initrd, and the vendor's medium."""

from __future__ import annotations

import gzip
import io
import subprocess
from pathlib import Path

import pytest
from pycdlib.pycdlib import PyCdlib

from harness.errors import UsageError
from harness.image_store.iso import describe_iso
from harness.provisioning.answer_files import AnswerFile, AnswerSet, InstallerStart, Location
from harness.provisioning.answer_media import extract, join_initrd, write_media

AWKWARD = "ü \r\n\0".encode() + bytes(range(256))


def answers(place: Location, *paths: str) -> AnswerSet:
    files = tuple(AnswerFile(place, path, path.encode() + AWKWARD) for path in paths)
    return AnswerSet(files, InstallerStart(), label="OEMDRV")


def a_vendors_medium(file: Path) -> Path:
    iso = PyCdlib()
    iso.new(interchange_level=3, rock_ridge="1.09", joliet=3, vol_ident="VENDOR")
    boot = b"\xeb\xfe" * 1024
    iso.add_fp(io.BytesIO(boot), len(boot), "/BOOT.;1", rr_name="boot", joliet_path="/boot")
    iso.add_eltorito("/BOOT.;1", bootcatfile="/BOOT.CAT;1", rr_bootcatname="boot.cat")
    for folder in ("etc", "install"):
        iso.add_directory(f"/{folder.upper()}", rr_name=folder, joliet_path=f"/{folder}")
    kernel = b"a kernel"
    iso.add_fp(
        io.BytesIO(kernel),
        len(kernel),
        "/INSTALL/VMLINUZ.;1",
        rr_name="vmlinuz",
        joliet_path="/install/vmlinuz",
    )
    iso.write(str(file))
    iso.close()
    return file


def on_iso(file: Path, **path: str) -> bytes:
    iso = PyCdlib()
    iso.open(str(file))
    found = io.BytesIO()
    iso.get_file_from_iso_fp(found, **path)
    iso.close()
    return found.getvalue()


def test_a_cd_has_its_label_and_the_names_of_each_system(tmp_path: Path) -> None:
    given = answers(Location.CD, "ks.cfg", "guestcert/setup.cmd")
    cd = write_media(given, tmp_path).cd
    assert cd is not None
    assert describe_iso(cd).words["volume-id"] == "OEMDRV"
    assert cd.stat().st_mode & 0o077 == 0
    for file in given.files:
        for names in ("rr_path", "joliet_path"):
            assert on_iso(cd, **{names: f"/{file.path}"}) == file.content


def test_a_floppy_is_read_by_mtools(tmp_path: Path) -> None:
    given = answers(Location.FLOPPY, "winnt.sif", "guestcert/setup.cmd")
    floppy = write_media(given, tmp_path).floppy
    assert floppy is not None
    assert floppy.stat().st_size == 1440 * 1024
    assert floppy.stat().st_mode & 0o077 == 0
    for file in given.files:
        command = ["mcopy", "-n", "-i", str(floppy), f"::/{file.path}", "-"]
        assert subprocess.run(command, capture_output=True, check=True).stdout == file.content


def test_an_initrd_ends_with_the_answers_where_the_kernel_looks(tmp_path: Path) -> None:
    """A second archive begins at a multiple of four bytes; before it are zeros alone."""
    given = answers(Location.INITRD, "preseed.cfg")
    tail = write_media(given, tmp_path).initrd_tail
    assert tail is not None
    vendors, joined = tmp_path / "initrd", tmp_path / "joined"
    vendors.write_bytes(gzip.compress(b"the vendor's", mtime=0))
    join_initrd(vendors, tail, joined)
    whole, begins = joined.read_bytes(), vendors.stat().st_size
    assert whole.startswith(vendors.read_bytes())
    second = whole.index(b"\x1f\x8b", begins)
    assert second % 4 == 0
    assert not any(whole[begins:second])
    archive = gzip.decompress(whole[second : second + tail.stat().st_size])
    assert archive.startswith(b"070701")
    assert b"preseed.cfg\0" in archive
    assert given.files[0].content in archive
    assert joined.stat().st_mode & 0o077 == 0


def test_a_copy_of_the_medium_boots_still_and_has_the_answers(tmp_path: Path) -> None:
    vendors = a_vendors_medium(tmp_path / "vendor.iso")
    before = vendors.read_bytes()
    given = answers(Location.MEDIUM, "etc/installerconfig")
    copy = write_media(given, tmp_path, vendors).medium
    assert copy is not None
    assert vendors.read_bytes() == before
    assert describe_iso(copy).bootable
    assert describe_iso(copy).words["volume-id"] == "VENDOR"
    assert on_iso(copy, rr_path="/etc/installerconfig") == given.files[0].content
    assert on_iso(copy, rr_path="/install/vmlinuz") == b"a kernel"
    assert copy.stat().st_mode & 0o077 == 0


def test_the_first_kernel_that_is_there_is_taken(tmp_path: Path) -> None:
    vendors = a_vendors_medium(tmp_path / "vendor.iso")
    target = tmp_path / "kernel"
    extract(vendors, ("install.amd/vmlinuz", "install/vmlinuz"), target)
    assert target.read_bytes() == b"a kernel"
    with pytest.raises(UsageError, match="is not an installation medium of this guest"):
        extract(vendors, ("casper/vmlinuz",), target)
    assert not target.exists()


def test_a_medium_that_can_not_be_changed_is_told(tmp_path: Path) -> None:
    text = tmp_path / "text.iso"
    text.write_text("no medium", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be copied with answer files"):
        write_media(answers(Location.MEDIUM, "etc/installerconfig"), tmp_path, text)
