"""Taking an image in: once, privately, by an unprivileged user, within limits."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import GuestcertError, HarnessError, UsageError
from harness.image_store import imported, qemu_img
from harness.image_store.builder import IMAGE
from harness.image_store.imported import examine, opened
from tests.unit.disk_images import MIB, SIZE, plain_disk, refused, run, taken


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A raw disk."""
    return plain_disk(tmp_path)


def test_the_users_own_link_is_followed(plain: Path) -> None:
    link = plain.with_name("latest.img")
    link.symlink_to(plain.name)
    assert taken(link) == plain.read_bytes()


@pytest.mark.parametrize("how", ["written", "grown", "exchanged"])
def test_a_file_that_changes_while_it_is_taken_is_noticed(
    plain: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    read = os.pread

    def meanwhile(descriptor: int, count: int, offset: int) -> bytes:
        if offset == 5 * MIB:
            with plain.open("r+b") as disk:
                disk.seek(SIZE if how == "grown" else MIB)
                disk.write(b"GENERATION TWO")
        return read(descriptor, count, offset)

    folder = plain.parent / "store"
    folder.mkdir()
    with opened(plain) as source:
        before = source.digest()
        if how == "exchanged":  # between two looks, and with the old times
            wanted = "0" * 64
        else:
            monkeypatch.setattr(os, "pread", meanwhile)
            wanted = before
        with pytest.raises(UsageError, match="changed while it was read"):
            source.convert(folder, wanted)
    assert list(folder.iterdir()) == []


def test_the_copy_is_of_the_opened_file_whatever_its_name_names_now(plain: Path) -> None:
    content = plain.read_bytes()
    folder = plain.parent / "store"
    folder.mkdir()
    with opened(plain) as source:
        plain.rename(plain.with_name("moved"))
        plain.write_bytes(b"secret of the host")
        with pytest.raises(UsageError, match="changed"):
            source.convert(folder)
    with opened(plain.with_name("moved")) as source:
        source.convert(folder)
    assert taken_disk(folder / IMAGE) == content


def taken_disk(image: Path) -> bytes:
    run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", image, image.with_name("raw"))
    return image.with_name("raw").read_bytes()


def test_holes_stay_holes(tmp_path: Path) -> None:
    file = tmp_path / "sparse.raw"
    file.write_bytes(bytes(510) + b"\x55\xaa")
    os.truncate(file, 2**30)
    examine(file)
    copied: list[int] = []
    folder = tmp_path / "store"
    folder.mkdir()
    with opened(file) as source:
        source.convert(folder)
    copied.append((folder / IMAGE).stat().st_blocks * 512)
    assert copied[0] < 2 * MIB


def _let_all_enter(folder: Path) -> None:
    """Open a test's folder, and those of pytest above it, whose number depends on its workers."""
    for each in (folder, *folder.parents):
        if each.stat().st_mode & 0o007 == 0:
            each.chmod(0o711)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_foreign_image_is_read_by_an_unprivileged_user(
    plain: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The reading program is replaced by one that prints its user and what it can open."""
    secret = tmp_path / "secret"
    secret.write_text("root's alone")
    secret.chmod(0o600)
    probe = tmp_path / "probe"
    probe.mkdir(mode=0o755)
    script = probe / "qemu-img"
    script.write_text(
        "#!/bin/sh\n"
        "exec 2>/dev/null\n"
        f"cat {secret} && exit 7; (: >source) && exit 8; touch other && exit 9\n"
        "id -un; ulimit -v; cat source >/dev/null && echo $LC_ALL; env | grep PASSWORD; exit 1\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr(qemu_img, "PROGRAM", str(script))
    monkeypatch.setenv("GUESTCERT_HYPERV_PASSWORD", "a-secret-word")
    probe.chmod(0o711)
    _let_all_enter(tmp_path)
    refusal = refused(plain, "is damaged; qemu-img reports")
    words = str(refusal).split()
    assert "nobody" in words
    assert str(qemu_img.MEMORY // 1024) in words
    assert "C.UTF-8" in words
    assert "a-secret-word" not in str(refusal)
    assert os.geteuid() == 0


def test_a_result_that_outgrows_the_room_is_the_labs_fault(
    plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain.write_bytes((bytes(510) + b"\x55\xaa") + os.urandom(8 * MIB))
    room = iter([2**40, 5 * MIB, 2**40])  # for the copy, for the result, and afterwards
    monkeypatch.setattr(imported, "_room", lambda where: next(room))
    folder = plain.parent / "store"
    folder.mkdir()
    with (
        pytest.raises(HarnessError, match="not enough space in the store"),
        opened(plain) as source,
    ):
        source.convert(folder)
    assert list(folder.glob("*.qcow2")) == []


def test_a_program_that_does_not_end_is_ended(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = plain.with_name("qemu-img")
    stuck.write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    stuck.chmod(0o755)
    _let_all_enter(plain.parent)
    monkeypatch.setattr(qemu_img, "PROGRAM", str(stuck))
    monkeypatch.setattr(qemu_img, "SHORTEST_SECONDS", 0.5)
    folder = plain.parent / "store"
    folder.mkdir()
    with pytest.raises(GuestcertError, match="in time"), opened(plain) as source:
        source.convert(folder)


def test_a_gzipped_file_is_not_unpacked_to_look_into_it(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.img.gz"
    bomb.write_bytes(gzip.compress(bytes(64 * MIB)))
    with pytest.raises(UsageError, match="unpack it"):
        examine(bomb)


@pytest.mark.parametrize("front", [("guestcert", "certify", "debian-12"), ("pytest", "suites")])
def test_a_file_that_is_not_a_disk_is_found_before_anything_is_made(
    tmp_path: Path, front: tuple[str, ...]
) -> None:
    notes = tmp_path / "README.md"
    notes.write_text("# guestcert\n" * 100)
    program = Path(sys.executable).with_name(front[0])
    guest = [] if front[0] == "guestcert" else ["--guest", "debian-12", "-p", "no:cacheprovider"]
    reports = tmp_path / "reports"
    command = [program, *front[1:], *guest, "--image", notes, "--reports", reports]
    done = subprocess.run(
        [str(word) for word in command],
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ | {"GUESTCERT_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "is not a disk image" in done.stdout + done.stderr
    assert done.returncode == (2 if front[0] == "guestcert" else 4)
    assert not reports.exists()
