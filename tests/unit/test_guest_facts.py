"""What a run's workers agree on of a guest: an image of the store, by its name."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.errors import BadFileError, UsageError
from harness.image_store.builder import IMAGE
from harness.image_store.provenance import write_provenance
from harness.image_store.store import BaseImage, ImageStore
from harness.lab.guest_facts import GuestFacts, agreed_image, known

PROFILE = "b" * 64


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "store")


def an_image(tmp_path: Path, name: str) -> BaseImage:
    """An image as the store keeps it."""
    folder = tmp_path / "store" / "images" / name
    folder.mkdir(parents=True)
    file = folder / IMAGE
    file.write_bytes(name.encode())
    digest = hashlib.sha256(name.encode()).hexdigest()
    write_provenance(folder, digest, datetime.now(UTC), {}, {}, ())
    return BaseImage(file, digest, name)


def test_all_workers_take_the_image_that_the_first_one_found(
    tmp_path: Path, store: ImageStore
) -> None:
    folder = tmp_path / "facts"
    first, later = an_image(tmp_path, "debian-12-a"), an_image(tmp_path, "debian-12-b")
    assert agreed_image(folder, "debian-12", first, PROFILE, store) == first
    assert agreed_image(folder, "debian-12", later, PROFILE, store) == first
    facts = GuestFacts(image=first.name, digest=first.digest, profile=PROFILE)
    assert known(folder, "debian-12") == facts


def test_guests_are_told_apart_and_nothing_else_is_left(tmp_path: Path, store: ImageStore) -> None:
    folder = tmp_path / "facts"
    first, second = an_image(tmp_path, "a"), an_image(tmp_path, "b")
    assert agreed_image(folder, "debian-1", first, PROFILE, store) == first
    assert agreed_image(folder, "debian-11", second, PROFILE, store) == second
    assert known(folder, "debian-12") is None
    assert sorted(file.name for file in folder.iterdir()) == ["debian-1.json", "debian-11.json"]


@pytest.mark.parametrize(
    "field",
    [
        {"image": "../outside"},
        {"image": "/etc/shadow"},
        {"image": {"path": "/etc/shadow", "digest": "0" * 64, "name": "x"}},
        {"image": ".hidden"},
        {"digest": "none"},
        {"path": "/etc/shadow"},
    ],
    ids=str,
)
def test_a_file_that_names_anything_but_an_image_of_the_store_is_refused(
    tmp_path: Path, store: ImageStore, field: dict[str, object]
) -> None:
    image = an_image(tmp_path, "a")
    facts = GuestFacts(image=image.name, digest=image.digest, profile=PROFILE).model_dump()
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts" / "debian-12.json").write_text(json.dumps(facts | field), "utf-8")
    with pytest.raises(BadFileError):
        agreed_image(tmp_path / "facts", "debian-12", image, PROFILE, store)


def agree_on(tmp_path: Path, name: str, digest: str) -> Path:
    """What another worker, or whoever wrote the file, would have of a guest."""
    folder = tmp_path / "facts"
    folder.mkdir()
    facts = GuestFacts(image=name, digest=digest, profile=PROFILE)
    (folder / "debian-12.json").write_text(facts.model_dump_json(), "utf-8")
    return folder


def test_an_image_that_the_store_lacks_is_refused(tmp_path: Path, store: ImageStore) -> None:
    mine = an_image(tmp_path, "mine")
    folder = agree_on(tmp_path, "theirs", "0" * 64)
    with pytest.raises(UsageError, match="there is no image"):
        agreed_image(folder, "debian-12", mine, PROFILE, store)


def test_an_image_that_was_altered_is_refused(tmp_path: Path, store: ImageStore) -> None:
    mine, theirs = an_image(tmp_path, "mine"), an_image(tmp_path, "theirs")
    folder = agree_on(tmp_path, theirs.name, theirs.digest)
    assert agreed_image(folder, "debian-12", mine, PROFILE, store) == theirs, "the control"
    theirs.path.chmod(0o644)
    theirs.path.write_bytes(b"altered")
    with pytest.raises(UsageError, match="was altered"):
        agreed_image(folder, "debian-12", mine, PROFILE, store)


def test_a_digest_that_is_not_the_store_s_is_refused(tmp_path: Path, store: ImageStore) -> None:
    mine = an_image(tmp_path, "mine")
    folder = agree_on(tmp_path, mine.name, "0" * 64)
    with pytest.raises(UsageError, match="is not the one"):
        agreed_image(folder, "debian-12", mine, PROFILE, store)


def test_a_link_in_the_store_is_no_image(tmp_path: Path, store: ImageStore) -> None:
    image = an_image(tmp_path, "real")
    image.path.parent.rename(tmp_path / "outside")
    (tmp_path / "store" / "images" / "real").symlink_to(tmp_path / "outside")
    with pytest.raises(UsageError):
        store.image("real")
