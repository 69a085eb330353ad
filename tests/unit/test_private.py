"""What is kept from the host's other users."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.image_store import private
from harness.image_store.private import make_private, new_private_file
from harness.lab.ownership import own
from harness.lab.workspace import Workspace

NOBODY = "nobody"

LIBVIRTS = "www-data"
"""Some user that every Debian has, in the place of libvirt's."""


@pytest.fixture
def open_tmp_path() -> Iterator[Path]:
    """A folder of the test that every user may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def can_read(file: Path, user: str) -> bool:
    account = pwd.getpwnam(user)
    done = subprocess.run(
        ["ls" if file.is_dir() else "cat", str(file)],
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="takes the place of other users")
@pytest.mark.parametrize("configured", ["", f'# user = "root"\nuser = "{LIBVIRTS}"\n', "+ID"])
def test_qemu_alone_passes_through_a_private_folder(
    monkeypatch: pytest.MonkeyPatch, open_tmp_path: Path, configured: str
) -> None:
    identifier = pwd.getpwnam(LIBVIRTS).pw_uid
    configuration = open_tmp_path / "qemu.conf"
    configuration.write_text(configured.replace("+ID", f'user = "+{identifier}"'))
    monkeypatch.setattr(private, "QEMU_CONFIGURATION", configuration)
    known = ("no-such-user", "daemon" if configured else LIBVIRTS)
    monkeypatch.setattr(private, "QEMU_USERS", known)
    folder = open_tmp_path / "own"
    folder.mkdir()
    disk = folder / "image.qcow2"
    disk.write_bytes(b"the guest's /etc/shadow")
    assert can_read(disk, NOBODY), "the control: before, everybody can"
    make_private(folder)
    assert can_read(disk, LIBVIRTS)
    assert not can_read(disk, NOBODY)
    assert not can_read(folder, LIBVIRTS), "and lists nothing"


def test_without_libvirts_user_only_the_owner_passes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(private, "QEMU_USERS", ())
    monkeypatch.setattr(private, "QEMU_CONFIGURATION", tmp_path / "none")
    make_private(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    assert private.ACL not in os.listxattr(tmp_path)


def test_a_private_file_takes_nothing_over_from_what_was_there(tmp_path: Path) -> None:
    file, elsewhere = tmp_path / "seed.iso", tmp_path / "elsewhere"
    elsewhere.write_text("left alone")
    elsewhere.chmod(0o644)
    file.symlink_to(elsewhere)
    assert new_private_file(file) == file
    assert stat.S_IMODE(file.lstat().st_mode) == 0o600
    assert not file.is_symlink()
    file.chmod(0o644)
    file.write_text("an old seed")
    new_private_file(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == ""
    assert elsewhere.read_text() == "left alone"


def test_a_runs_folder_is_private(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, own("run-1"))
    workspace.create()
    mode = stat.S_IMODE(workspace.folder.stat().st_mode)
    assert mode & stat.S_IRWXO == 0
    assert mode & stat.S_IRWXU == stat.S_IRWXU
