"""Foreign disk images: each is read rightly, or refused with its cause and a remedy."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.image_store.formats.vhdx import _crc32c
from harness.image_store.imported import examine
from tests.unit.disk_images import MIB, SIZE, made, plain_disk, refused, run, taken


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A raw disk."""
    return plain_disk(tmp_path)


@pytest.mark.parametrize(
    ("form", "options", "compressed"),
    [
        ("raw", (), False),
        ("qcow2", (), False),
        ("qcow2", ("compat=0.10",), False),
        ("qcow2", ("compression_type=zstd",), True),
        ("qcow2", ("extended_l2=on",), False),
        ("qcow2", (), True),
        ("vpc", ("subformat=fixed", "force_size=on"), False),
        ("vpc", ("subformat=dynamic", "force_size=on"), False),
        ("vhdx", ("subformat=dynamic",), False),
        ("vhdx", ("subformat=fixed",), False),
        ("vdi", (), False),
        ("vdi", ("static=on",), False),
        ("vmdk", ("subformat=monolithicSparse",), False),
        ("vmdk", ("subformat=streamOptimized",), False),
    ],
)
def test_each_format_gives_the_disk_as_it_was(
    plain: Path, form: str, options: tuple[str, ...], compressed: bool
) -> None:
    file = made(plain, form, *options, compressed=compressed)
    examine(file)
    assert taken(file) == plain.read_bytes()


def test_the_size_of_a_vhd_is_its_footers_and_not_its_geometrys(tmp_path: Path) -> None:
    """VirtualBox writes geometries that leave the last sectors out."""
    raw = tmp_path / "plain.raw"
    raw.write_bytes((bytes(510) + b"\x55\xaa").ljust(SIZE - 512, b"x"))
    vhd = made(raw, "vpc", "subformat=fixed", "force_size=on")
    content = bytearray(vhd.read_bytes())
    footer = content[-512:]
    footer[28:32] = b"vbox"
    footer[64:68] = bytes(4)
    footer[64:68] = struct.pack(">I", ~sum(footer) & 0xFFFFFFFF)
    content[-512:] = footer
    vhd.write_bytes(content)
    assert taken(vhd) == raw.read_bytes()


def leaning_vmdk(subformat: str) -> Callable[[Path], Path]:
    return lambda plain: made(plain, "vmdk", f"subformat={subformat}")


def descriptor_of(elsewhere: Path) -> bytes:
    return (
        b"# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n"
        b'createType="monolithicFlat"\nRW 1 FLAT "%s" 0\n' % str(elsewhere).encode()
    )


def a_descriptor(plain: Path) -> Path:
    secret = plain.with_name("host-file")
    secret.write_bytes(b"secret of the host".ljust(512, b"!"))
    file = plain.with_name("nightly.qcow2")
    file.write_bytes(descriptor_of(secret))
    return file


def a_backed_disk(plain: Path) -> Path:
    run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", plain, plain.with_name("o"))
    return plain.with_name("o")


def an_external_data_file(plain: Path) -> Path:
    file = plain.with_name("external.qcow2")
    options = f"data_file={plain.with_name('data.raw')},data_file_raw=on"
    run("qemu-img", "create", "-q", "-f", "qcow2", "-o", options, file, "1M")
    return file


def a_split_part(plain: Path) -> Path:
    made(plain, "vmdk", "subformat=twoGbMaxExtentSparse")
    return plain.with_name("other-s001.img").rename(plain.with_name("part.vmdk"))


def a_vmdk_with_a_parent(plain: Path) -> Path:
    file = made(plain, "vmdk")
    content = file.read_bytes()
    file.write_bytes(content.replace(b"parentCID=ffffffff", b"parentCID=0badc0de"))
    return file


def a_differencing_vhd(plain: Path) -> Path:
    file = made(plain, "vpc", "subformat=dynamic")
    content = bytearray(file.read_bytes())
    content[60:64] = struct.pack(">I", 4)
    file.write_bytes(content)
    return file


def a_differencing_vdi(plain: Path) -> Path:
    file = made(plain, "vdi")
    content = bytearray(file.read_bytes())
    content[0x1B8:0x1C8] = os.urandom(16)
    file.write_bytes(content)
    return file


def a_differencing_vhdx(plain: Path) -> Path:
    file = made(plain, "vhdx")
    content = bytearray(file.read_bytes())
    metadata = content.index(b"metadata")
    entry = content.index(bytes.fromhex("3767a1ca36fa434db3b633f0aa44e76b"), metadata)
    (offset,) = struct.unpack_from("<I", content, entry + 16)
    content[metadata + offset + 4] |= 2
    file.write_bytes(content)
    return file


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (leaning_vmdk("monolithicFlat"), "other-flat.img"),
        (leaning_vmdk("twoGbMaxExtentSparse"), "other-s001.img"),
        (leaning_vmdk("twoGbMaxExtentFlat"), "other-f001.img"),
        (a_descriptor, "host-file"),
        (a_backed_disk, "plain.raw"),
        (an_external_data_file, "data.raw"),
        (a_split_part, "split disk"),
        (a_vmdk_with_a_parent, "parent"),
        (a_differencing_vhd, "parent"),
        (a_differencing_vdi, "parent"),
        (a_differencing_vhdx, "parent"),
    ],
)
def test_what_leans_on_another_file_is_refused_by_its_name(
    plain: Path, make: Callable[[Path], Path], named: str
) -> None:
    file = make(plain)
    refusal = refused(file, "depends on another file")
    assert named in str(refusal)
    with pytest.raises(UsageError, match="depends on another file"):
        examine(file)


def test_a_descriptor_in_the_first_sector_of_a_raw_disk_is_never_followed(plain: Path) -> None:
    secret = plain.with_name("host-file")
    secret.write_bytes(b"secret of the host".ljust(SIZE, b"!"))
    forged = bytearray(SIZE)
    forged[: len(descriptor_of(secret))] = descriptor_of(secret)
    forged[510:512] = b"\x55\xaa"
    file = plain.with_name("forged.raw")
    file.write_bytes(forged)
    refusal = refused(file, "perhaps its guest wrote that there")
    assert "convert" not in str(refusal), "that would follow it"
    # QEMU takes this for a descriptor too; here it is a disk with a boot sector, and nothing else.
    other = forged.replace(b"# Disk DescriptorFile\n", b"#\n").ljust(SIZE, b"\0")
    other[510:512] = b"\x55\xaa"
    file.write_bytes(other)
    (file.parent / "store").rmdir()
    assert taken(file) == bytes(other)


def test_an_encrypted_image_is_refused_as_such(plain: Path) -> None:
    file = plain.with_name("luks.qcow2")
    options = "encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=10"
    secret = "secret,id=key,data=secret"
    run("qemu-img", "create", "-q", "--object", secret, "-f", "qcow2", "-o", options, file, "1M")
    assert "decrypt" in str(refused(file, "is encrypted").remedy)


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("qcow2", ()),
        ("vpc", ("subformat=dynamic",)),
        ("vhdx", ()),
        ("vdi", ()),
        ("vmdk", ("subformat=monolithicSparse",)),
        ("vmdk", ("subformat=streamOptimized",)),
    ],
)
@pytest.mark.parametrize("part", [0.5, 0.98])
def test_a_file_that_was_cut_off_is_refused(
    plain: Path, form: str, options: tuple[str, ...], part: float
) -> None:
    content = bytearray(SIZE)
    for start in range(0, SIZE, MIB):
        content[start : start + 65536] = os.urandom(65536)
    plain.write_bytes(content)
    file = made(plain, form, *options)
    os.truncate(file, int(file.stat().st_size * part) // 512 * 512)
    refused(file, "is damaged")


def test_a_compressed_image_that_was_cut_off_is_refused(plain: Path) -> None:
    plain.write_bytes(os.urandom(MIB // 2) + bytes(SIZE - MIB // 2))
    file = made(plain, "qcow2", compressed=True)
    os.truncate(file, file.stat().st_size - 2 * 65536)
    refused(file, "is damaged")


def test_a_raw_disk_that_was_cut_off_is_known_by_its_partitions(plain: Path) -> None:
    for label, kind in (("gpt", "L"), ("dos", "83")):
        os.truncate(plain, 0)
        os.truncate(plain, 64 * MIB)
        table = f"label: {label}\nstart=2048, size={62 * 2048}, type={kind}\n"
        subprocess.run(["sfdisk", "-q", plain], input=table.encode(), check=True, timeout=60)
        if label == "gpt":  # a hard disk's boot sector has the signature in any case
            examine(plain)
        os.truncate(plain, 40 * MIB)
        with pytest.raises(UsageError, match="is damaged: it should have"):
            examine(plain)


def test_the_words_of_qemu_img_are_not_dropped(plain: Path) -> None:
    file = made(plain, "qcow2")
    content = bytearray(file.read_bytes())
    (references,) = struct.unpack_from(">Q", content, 48)
    struct.pack_into(">Q", content, references, 0)  # nothing of the file is in use, it states
    file.write_bytes(content)
    refusal = refused(file, "is damaged; qemu-img reports: ")
    assert "ERROR" in str(refusal)
    assert "check -r all" in str(refusal.remedy)


def test_a_vhdx_whose_log_was_not_replayed_is_refused_with_the_remedy(plain: Path) -> None:
    file = made(plain, "vhdx")
    content = bytearray(file.read_bytes())
    guid = os.urandom(16)
    for offset in (64 * 1024, 128 * 1024):
        header = content[offset : offset + 4096]
        header[48:64] = guid
        header[4:8] = bytes(4)
        header[4:8] = struct.pack("<I", _crc32c(bytes(header)))
        content[offset : offset + 4096] = header
    log = struct.unpack_from("<Q", content, 64 * 1024 + 72)[0]
    entry = bytearray(4096)  # one that changes nothing, and is valid
    entry[:4] = b"loge"
    struct.pack_into("<IIQII", entry, 8, 4096, 0, 1, 0, 0)
    entry[32:48] = guid
    struct.pack_into("<QQ", entry, 48, len(content), len(content))
    struct.pack_into("<I", entry, 4, _crc32c(bytes(entry)))
    content[log : log + 4096] = entry
    file.write_bytes(content)
    refusal = refused(file, "log that was not replayed")
    assert f"qemu-img check -r all {file}" in str(refusal.remedy)


@pytest.mark.parametrize("form", ["raw", "qcow2"])
def test_an_image_that_a_machine_writes_to_is_refused(plain: Path, form: str) -> None:
    file = plain if form == "raw" else made(plain, form)
    options = f"driver={form},node-name=disk,file.driver=file,file.filename={file}"
    command = ["qemu-io", "--image-opts", options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as user:
        assert user.stdin is not None
        assert user.stdout is not None
        user.stdin.write(b"read 0 512\n")
        user.stdin.flush()
        assert b"read" in user.stdout.readline()
        refusal = refused(file, "is in use: another process writes to it")
        user.stdin.close()
    assert "shut that machine down" in str(refusal.remedy)
    examine(file)


@pytest.mark.parametrize(
    ("command", "words", "program"),
    [
        (("gzip", "-k"), "packed with gzip", "gunzip"),
        (("xz", "-k"), "packed with xz", "unxz"),
        (("zstd", "-q"), "packed with zstd", "unzstd"),
    ],
)
def test_a_packed_image_is_to_be_unpacked(
    plain: Path, command: tuple[str, ...], words: str, program: str
) -> None:
    run(*command, plain)
    (packed,) = plain.parent.glob("plain.raw.*")
    assert str(refused(packed, words).remedy) == f"unpack it: {program} {packed}"


def test_an_archive_with_a_disk_is_to_be_unpacked(plain: Path) -> None:
    run("tar", "-C", plain.parent, "-cf", plain.with_name("machine.ova"), plain.name)
    assert "tar -xf" in str(refused(plain.with_name("machine.ova"), "tar archive").remedy)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"x", "is not a disk image"),
        (b"# guestcert\n" * 100, "is not a disk image"),
        (b"QFI\xfb", "is damaged: it should have"),
        (b"QFI\xfb" + b"\0\0\0\x01" + bytes(500), "qcow image of version 1"),
        (b"QFI\xfb" + b"\xff" * 508, "version 4294967295"),
        (b"KDMV" + b"\xff" * 508, "is damaged|depends on"),
        (b"vhdxfile" + b"\xff" * 504, "is damaged"),
        (b"conectix" + b"\xff" * 504, "is damaged"),
        (bytes(0x40) + b"\x7f\x10\xda\xbe" + b"\xff" * 444, "depends on|is damaged"),
        (b"LUKS\xba\xbe" + bytes(506), "LUKS"),
        (b"QED\0" + bytes(508), "QED"),
        (b"COWD" + bytes(508), "ESX"),
    ],
)
def test_what_is_not_a_disk_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    refused(file, words)


def test_a_disk_of_size_zero_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "zero.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", file, "0")
    refused(file, "size zero")


def test_what_is_not_a_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.img")
    (tmp_path / "circle").symlink_to("circle")
    for path in (tmp_path / "pipe.img", Path("/dev/zero"), tmp_path):
        with pytest.raises(UsageError, match="is not a file"):
            examine(path)
    with pytest.raises(UsageError, match="does not exist"):
        examine(tmp_path / "none")
    with pytest.raises(UsageError, match="cannot be read"):
        examine(tmp_path / "circle")
