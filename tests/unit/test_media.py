"""Media: identified by the OS database, damaged and foreign files refused, the shelf."""

from __future__ import annotations

import io
import os
from datetime import date
from pathlib import Path

import pytest
from pycdlib.pycdlib import PyCdlib

from harness.errors import UsageError
from harness.image_store.iso import describe_iso
from harness.image_store.media import MediaShelf, identify
from harness.profiles.loader import load_profiles
from harness.profiles.model import Method, Profile
from harness.profiles.osinfo import Database
from tests.unit.builders import a_profile

SERVER_2022 = "http://microsoft.com/win/2k22"
DATABASE = f"""<libosinfo version="0.0.1">
<os id="{SERVER_2022}"><name>Windows Server 2022</name><release-date>2021-08-18</release-date>
  <media arch="x86_64"><iso>
    <volume-id>SSS_X64FRE_[A-Z]*-[A-Z]*_DV9</volume-id>
    <publisher-id>MICROSOFT CORPORATION</publisher-id>
  </iso></media></os>
<os id="http://microsoft.com/win/2k19"><name>Windows Server 2019</name>
  <release-date>2018-11-13</release-date>
  <media arch="x86_64"><iso>
    <volume-id>SSS_X64FRE_[A-Z]*-[A-Z]*_DV9</volume-id>
    <publisher-id>MICROSOFT CORPORATION</publisher-id>
  </iso></media></os>
<os id="http://nowhere.test/os"><name>Nowhere OS</name>
  <media arch="i386"><iso><volume-id>^NOWHERE</volume-id></iso></media></os>
</libosinfo>
"""


@pytest.fixture
def database(tmp_path: Path) -> Database:
    folder = tmp_path / "osinfo" / "os" / "vendor"
    folder.mkdir(parents=True)
    (folder / "all.xml").write_text(DATABASE, encoding="utf-8")
    return Database(tmp_path / "osinfo")


def an_iso(file: Path, volume: str, publisher: str = "", *, boots: bool = True) -> Path:
    iso = PyCdlib()
    iso.new(vol_ident=volume, pub_ident_str=publisher)
    data = b"\xeb\xfe" + b"x" * 60_000
    iso.add_fp(io.BytesIO(data), len(data), "/BOOT.;1")
    if boots:
        iso.add_eltorito("/BOOT.;1", bootcatfile="/BOOT.CAT;1")
    iso.write(str(file))
    iso.close()
    return file


def a_windows_iso(folder: Path) -> Path:
    return an_iso(folder / "server.iso", "SSS_X64FRE_EN-US_DV9", "MICROSOFT CORPORATION")


def windows(release: str, osinfo: str) -> Profile:
    profile = a_profile(id=f"windows-server-{release}", osinfo={"id": osinfo}, recipe=None)
    return profile.model_copy(update={"provisioning": (Method.AUTOUNATTEND,)})


def test_an_image_says_what_it_is_and_whether_it_boots(tmp_path: Path) -> None:
    described = describe_iso(a_windows_iso(tmp_path))
    assert described.words["volume-id"] == "SSS_X64FRE_EN-US_DV9"
    assert described.words["publisher-id"] == "MICROSOFT CORPORATION"
    assert described.bootable
    assert not describe_iso(an_iso(tmp_path / "data.iso", "DATA", boots=False)).bootable


def test_a_cut_image_is_damaged_and_a_text_is_none(tmp_path: Path) -> None:
    cut = a_windows_iso(tmp_path)
    cut.write_bytes(cut.read_bytes()[:-40_000])
    with pytest.raises(UsageError, match="is damaged: it states"):
        describe_iso(cut)
    text = tmp_path / "text.iso"
    text.write_text("no image\n" * 9000, encoding="utf-8")
    with pytest.raises(UsageError, match="is not an ISO image"):
        describe_iso(text)
    with pytest.raises(UsageError, match=r"cannot be read: No such file"):
        describe_iso(tmp_path / "none.iso")
    os.mkfifo(tmp_path / "pipe.iso")  # opened, it would wait for a writer for ever
    with pytest.raises(UsageError, match="is not a file"):
        describe_iso(tmp_path / "pipe.iso")


def test_the_newest_of_those_that_bear_the_same_name_comes_first(
    tmp_path: Path, database: Database
) -> None:
    known = identify(
        a_windows_iso(tmp_path),
        [windows("2019", "http://microsoft.com/win/2k19"), windows("2022", SERVER_2022)],
        database,
    )
    assert known.profiles == ("windows-server-2022", "windows-server-2019")
    assert known.names == ("Windows Server 2022 (x86_64)", "Windows Server 2019 (x86_64)")


def test_every_pattern_of_an_entry_must_hold(tmp_path: Path, database: Database) -> None:
    other = an_iso(tmp_path / "other.iso", "SSS_X64FRE_EN-US_DV9", "SOMEBODY ELSE")
    assert identify(other, [windows("2022", SERVER_2022)], database).profiles == ()


def test_the_real_database_links_the_volume_id_of_windows_server_2022(tmp_path: Path) -> None:
    known = identify(a_windows_iso(tmp_path), load_profiles(), Database())
    assert known.profiles[0] == "windows-server-2022"


def test_a_windows_10_medium_installs_no_profile_without_an_installation(tmp_path: Path) -> None:
    """Windows 10 and 11 bear one volume id, and generic-windows is for images of one's own."""
    medium = an_iso(tmp_path / "win10.iso", "CCCOMA_X64FRE_EN-US_DV9", "MICROSOFT CORPORATION")
    known = identify(medium, load_profiles(), Database())
    assert known.profiles[0] in {"windows-11", "windows-10"}
    assert {"windows-11", "windows-10"} <= set(known.profiles)
    assert "generic-windows" not in known.profiles


def test_of_the_profiles_of_one_os_the_newest_comes_first(
    tmp_path: Path, database: Database
) -> None:
    first = windows("2022", SERVER_2022)
    days = {"sp1": date(2021, 1, 1), "sp3": date(2023, 1, 1), "sp2": date(2022, 1, 1)}
    profiles = [
        first.model_copy(
            update={
                "id": f"windows-{pack}",
                "lifecycle": first.lifecycle.model_copy(update={"released": day}),
            }
        )
        for pack, day in days.items()
    ]
    known = identify(a_windows_iso(tmp_path), profiles, database)
    assert known.profiles == ("windows-sp3", "windows-sp2", "windows-sp1")


def test_what_is_added_is_on_the_shelf_once(tmp_path: Path, database: Database) -> None:
    shelf = MediaShelf(tmp_path / "store")
    profiles = [windows("2022", SERVER_2022)]
    iso = a_windows_iso(tmp_path)
    shelf.add(iso, profiles, database)
    shelf.add(iso, profiles, database)
    (medium,) = shelf.media()
    assert (medium.profiles, medium.trouble) == (("windows-server-2022",), "")
    assert shelf.for_profile("windows-server-2022") == medium
    assert shelf.for_profile("debian-12") is None


def test_what_nobody_knows_is_not_added(tmp_path: Path, database: Database) -> None:
    shelf = MediaShelf(tmp_path / "store")
    strange = an_iso(tmp_path / "strange.iso", "STRANGE")
    with pytest.raises(UsageError, match="volume id 'STRANGE' is not in the OS database"):
        shelf.add(strange, [windows("2022", SERVER_2022)], database)
    nowhere = an_iso(tmp_path / "nowhere.iso", "NOWHERE 1")
    with pytest.raises(UsageError, match="it is Nowhere OS"):
        shelf.add(nowhere, [windows("2022", SERVER_2022)], database)
    assert shelf.media() == ()


def test_the_users_word_goes_before_the_databases(tmp_path: Path, database: Database) -> None:
    """A release that is newer than the database, or media that bear another's name."""
    shelf = MediaShelf(tmp_path / "store")
    older = windows("2019", "http://microsoft.com/win/2k19")
    newer = windows("2022", SERVER_2022)
    for guest, volume in ((older, "SSS_X64FRE_EN-US_DV9"), (newer, "STRANGE")):
        iso = an_iso(tmp_path / f"{guest.id}.iso", volume, "MICROSOFT CORPORATION")
        assert shelf.add(iso, [older, newer], database, guest).profiles == (guest.id,)
        found = shelf.for_profile(guest.id)
        assert found is not None
        assert found.path == iso


def test_of_two_media_the_likeliest_is_taken(tmp_path: Path, database: Database) -> None:
    shelf = MediaShelf(tmp_path / "store")
    older, newer = windows("2019", "http://microsoft.com/win/2k19"), windows("2022", SERVER_2022)
    both, own = a_windows_iso(tmp_path), an_iso(tmp_path / "own.iso", "OWN")
    shelf.add(both, [older, newer], database)
    shelf.add(own, [older, newer], database, older)
    chosen = {guest.id: shelf.for_profile(guest.id) for guest in (older, newer)}
    assert {guest: medium and medium.path for guest, medium in chosen.items()} == {
        older.id: own,
        newer.id: both,
    }


def test_the_newest_drivers_are_the_last_as_people_count(
    tmp_path: Path, database: Database
) -> None:
    shelf = MediaShelf(tmp_path / "store")
    for version in ("0.1.9", "0.1.271", "0.1.30"):
        shelf.add(an_iso(tmp_path / version, f"virtio-win-{version}"), [], database)
    newest = shelf.drivers()
    assert newest is not None
    assert newest.volume == "virtio-win-0.1.271"


def test_a_spoilt_list_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "media.json").write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match=r"media\.json is invalid"):
        MediaShelf(tmp_path).media()
