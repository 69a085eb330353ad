"""The store's folder: another folder is neither changed, cleaned nor trusted."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from harness.errors import HarnessError, UsageError
from harness.image_store import files, places
from harness.image_store.download import remove_forgotten
from harness.image_store.places import MARKER, store_root
from harness.image_store.store import ImageStore
from tests.unit.test_store import image_in


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What GUESTCERT_HOME names; nothing is there yet."""
    monkeypatch.setenv("GUESTCERT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_store_is_made_and_marked(home: Path) -> None:
    previous = os.umask(0o077)
    try:
        assert store_root() == home
    finally:
        os.umask(previous)
    assert (home / MARKER).is_file()
    assert mode(home) & 0o111 == 0o111, "QEMU's user gets in"
    assert mode(home) & 0o022 == 0
    assert store_root() == home


def test_an_empty_folder_becomes_a_store(home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "lost+found").mkdir()
    assert store_root() == home
    assert (home / MARKER).is_file()
    assert mode(home) == 0o711, "nobody may list more than before"


@pytest.mark.parametrize("wide", [0o700, 0o755])
def test_a_home_folder_by_mistake_is_refused_and_left_as_it_is(home: Path, wide: int) -> None:
    for entry in ("runs/marathon", "images/holiday-2026", "Documents"):
        (home / entry).mkdir(parents=True)
    home.chmod(wide)
    with pytest.raises(UsageError, match="not a guestcert store") as refusal:
        store_root()
    assert refusal.value.remedy is not None
    assert mode(home) == wide
    assert sorted(entry.name for entry in home.iterdir()) == ["Documents", "images", "runs"]


def test_folders_that_only_have_a_store_s_names_are_no_store(home: Path) -> None:
    (home / "images" / "holiday-2026").mkdir(parents=True)
    (home / "runs" / "marathon").mkdir(parents=True)
    with pytest.raises(UsageError, match="not a guestcert store"):
        store_root()


def test_the_store_of_an_older_guestcert_goes_on(home: Path) -> None:
    image_in(home)
    assert store_root() == home
    assert (home / MARKER).is_file()


def test_an_older_store_with_something_else_beside_it_is_refused(home: Path) -> None:
    image_in(home)
    (home / "letter.txt").touch()
    with pytest.raises(UsageError, match="not a guestcert store"):
        store_root()


def test_a_file_is_no_store(home: Path) -> None:
    home.touch()
    with pytest.raises(UsageError, match="not a folder"):
        store_root()


def test_a_marker_that_is_a_link_marks_nothing(home: Path, tmp_path: Path) -> None:
    home.mkdir()
    (tmp_path / "marker").touch()
    (home / MARKER).symlink_to(tmp_path / "marker")
    with pytest.raises(UsageError, match="not a guestcert store"):
        store_root()


def test_a_store_that_others_may_write_is_refused(home: Path) -> None:
    home.mkdir()
    home.chmod(0o1777)
    with pytest.raises(UsageError, match="others may write"):
        store_root()
    assert mode(home) == 0o1777
    assert not (home / MARKER).exists()


def test_folders_that_others_own_or_write_are_not_trusted(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives folders to others")
    somebody = 1234
    theirs, store = tmp_path / "theirs", tmp_path / "theirs" / "store"
    store.mkdir(parents=True)
    assert places._distrust(store, 0) == "", "the control: root's own folder is trusted"
    os.chown(store, somebody, somebody)
    assert "1234" in places._distrust(store, 0)
    assert places._distrust(store, somebody) == ""
    os.chown(store, 0, somebody)
    store.chmod(0o775)
    assert "others may write" in places._distrust(store, 0)
    assert places._distrust(store, somebody) == "", "a user's own group is often writable"
    store.chmod(0o755)
    os.chown(theirs, somebody, somebody)
    assert str(theirs) in places._distrust(store, 0), "they could put a link in its place"


@pytest.mark.parametrize("name", ["runs", "images", "downloads", "packages"])
def test_a_link_among_the_store_s_folders_is_refused(home: Path, tmp_path: Path, name: str) -> None:
    store_root()
    (tmp_path / "victim" / "sub").mkdir(parents=True)
    (home / name).symlink_to(tmp_path / "victim")
    with pytest.raises(UsageError, match="link"):
        store_root()
    assert (tmp_path / "victim" / "sub").is_dir()


def test_pruning_leaves_what_is_no_image(home: Path, tmp_path: Path) -> None:
    for name in ("holiday-2026", "holiday.making", "debian-12-0123456789abcdef"):
        (home / "images" / name).mkdir(parents=True)
    (tmp_path / "victim").mkdir()
    (home / "images" / "debian-13-0123456789abcdef.making").symlink_to(tmp_path / "victim")
    assert ImageStore(home).prune(most_bytes=0) == []
    assert len(list((home / "images").iterdir())) == 4


def test_pruning_writes_through_no_link(home: Path, tmp_path: Path) -> None:
    folder = image_in(home)
    (tmp_path / "letter").write_text("dear", encoding="utf-8")
    (folder / "in-use").unlink()
    (folder / "in-use").symlink_to(tmp_path / "letter")
    with pytest.raises(HarnessError, match="is a link"):
        ImageStore(home).prune(most_bytes=0)
    assert (tmp_path / "letter").read_text(encoding="utf-8") == "dear"


def test_a_link_in_the_place_of_a_file_is_not_written_through(tmp_path: Path) -> None:
    letter, link = tmp_path / "letter", tmp_path / "link"
    letter.write_text("dear", encoding="utf-8")
    link.symlink_to(letter)
    with pytest.raises(HarnessError, match="is a link"):
        files.refuse_link(link)
    with pytest.raises(OSError, match="symbolic links"):
        files.without_links(str(link), os.O_WRONLY)
    files.replace_file(link, b"own")
    assert letter.read_text(encoding="utf-8") == "dear"
    assert (link.read_bytes(), link.is_symlink()) == (b"own", False)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["letter", "link"]


def test_a_dangling_link_among_downloads_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.part").symlink_to(tmp_path / "nowhere")
    assert remove_forgotten(tmp_path) == []
