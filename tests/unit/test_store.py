"""The image store: made once, verified at use, pruned with care."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.errors import HarnessError, UsageError
from harness.image_store import store as store_module
from harness.image_store.builder import IMAGE, LOG
from harness.image_store.recipe import BootstrapRecipe, InstallRecipe, load_recipe
from harness.image_store.store import Builders, ImageStore
from harness.profiles.model import Method
from tests.fakes.builder import FakeBuilder

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 8


@pytest.fixture
def builder(tmp_path: Path) -> FakeBuilder:
    return FakeBuilder(tmp_path / "builds")


@pytest.fixture
def store(tmp_path: Path, builder: FakeBuilder) -> Iterator[ImageStore]:
    with a_store(tmp_path, builder) as made:
        yield made


@contextmanager
def a_store(root: Path, builder: FakeBuilder) -> Iterator[ImageStore]:
    with closing(ImageStore(root, {BootstrapRecipe: builder})) as made:
        yield made


def image_in(root: Path) -> Path:
    """The folder of an image that was made in a store."""
    with a_store(root, FakeBuilder(root.with_name("builds"))) as store:
        return store.base_image(load_recipe("debian-12")).path.parent


def test_an_image_is_made_once_and_read_only(store: ImageStore, builder: FakeBuilder) -> None:
    first, second = (
        store.base_image(load_recipe("debian-12")),
        store.base_image(load_recipe("debian-12")),
    )
    assert first == second
    assert builder.builds == 1
    assert first.path.read_bytes() == b"image of debian-12"
    assert first.path.stat().st_mode & 0o222 == 0
    left = {file.name for file in first.path.parent.iterdir()}
    assert left == {IMAGE, "provenance.json", LOG, store_module.IN_USE}, "answers may hold a key"


def test_another_tool_makes_another_image(store: ImageStore, builder: FakeBuilder) -> None:
    first = store.base_image(load_recipe("debian-12"))
    builder.shaped_by = {"tool": "2.0"}
    assert store.base_image(load_recipe("debian-12")).name != first.name
    assert builder.builds == 2


def test_an_altered_image_is_made_anew(store: ImageStore, builder: FakeBuilder) -> None:
    image = store.base_image(load_recipe("debian-12"))
    image.path.chmod(0o644)
    image.path.write_bytes(b"image of debian-1")
    assert store.verify() == [image]
    output: list[str] = []
    assert store.base_image(load_recipe("debian-12"), output.append) == image
    assert any("was altered" in line for line in output)
    assert builder.builds == 2
    assert store.verify() == []


def test_its_provenance_says_what_went_in(store: ImageStore) -> None:
    image = store.base_image(load_recipe("debian-12"))
    (stored,) = store.images()
    assert stored.image == image
    recipe = load_recipe("debian-12").model_dump(mode="json")
    assert stored.provenance.parameters["recipe"]["packages"] == recipe["packages"]
    assert [m.name for m in stored.provenance.materials] == ["pkg:deb/debian/sudo@1.9"]
    assert stored.provenance.made <= datetime.now(UTC)


def test_its_provenance_says_when_and_with_which_tools(store: ImageStore) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    image = store.base_image(load_recipe("debian-12"))
    statement = json.loads((image.path.parent / "provenance.json").read_text(encoding="utf-8"))
    assert statement["subject"][0]["digest"]["sha256"] == image.digest
    predicate = statement["predicate"]
    assert predicate["buildDefinition"]["internalParameters"] == {"tool": "1.0"}
    assert predicate["runDetails"]["builder"]["id"].startswith("guestcert ")
    times = predicate["runDetails"]["metadata"]
    started, finished = (datetime.fromisoformat(times[k]) for k in ("startedOn", "finishedOn"))
    assert before <= started <= finished <= datetime.now(UTC)


def test_a_failed_build_leaves_its_log_and_no_image(
    store: ImageStore, builder: FakeBuilder, tmp_path: Path
) -> None:
    builder.fails = True
    with pytest.raises(HarnessError, match="the fake build fails"):
        store.base_image(load_recipe("debian-12"))
    (left,) = (tmp_path / "images").glob("*/")
    assert [file.name for file in left.iterdir()] == [LOG]
    assert store.images() == []
    builder.fails = False
    assert store.base_image(load_recipe("debian-12")).path.exists()


WORKER = """
import sys
from pathlib import Path
from harness.image_store.recipe import BootstrapRecipe, load_recipe
from harness.image_store.store import ImageStore
from harness.waiting import Deadline, NotYet, wait_until
from tests.fakes.builder import FakeBuilder

root, number, processes = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def others_wait():
    waiting = list(root.glob("waits-*"))
    if len(waiting) < processes - 1:
        raise NotYet(f"{len(waiting)} wait")

def said(text):
    if text.startswith("waiting"):
        (root / f"waits-{number}").write_text(text)

builder = FakeBuilder(
    root / "builds", lambda: wait_until(others_wait, awaited="the others", deadline=Deadline(60))
)
store = ImageStore(root, {BootstrapRecipe: builder})
print(store.base_image(load_recipe("debian-12"), said).digest)
"""


def test_eight_processes_make_it_once_and_see_its_progress(tmp_path: Path) -> None:
    """The building process continues only when all others wait."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(tmp_path), str(number), str(PROCESSES)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    digests = [process.communicate(timeout=90)[0] for process in started]
    assert [process.returncode for process in started] == [0] * PROCESSES
    assert len(set(digests)) == 1
    assert (tmp_path / "builds").read_bytes() == b"x"
    reported = [file.read_text() for file in tmp_path.glob("waits-*")]
    assert len(reported) == PROCESSES - 1
    assert any(text == "waiting for another process that builds it: half way" for text in reported)


def used(store: ImageStore, name: str, days_ago: int) -> None:
    """Make an image of that name that was asked for so many days ago."""
    image = store.base_image(load_recipe(name))
    moment = (datetime.now(UTC) - timedelta(days=days_ago)).timestamp()
    os.utime(image.path.parent / store_module.IN_USE, (moment, moment))


def names(folders: list[Path]) -> list[str]:
    return [folder.name.rpartition("-")[0] for folder in folders]


def test_pruning_takes_what_nobody_asked_for_so_long(tmp_path: Path, builder: FakeBuilder) -> None:
    with a_store(tmp_path, builder) as earlier:
        used(earlier, "debian-12", 1)
        used(earlier, "debian-13", 40)
    store = ImageStore(tmp_path)
    assert names(store.prune(unused_for=timedelta(days=30))) == ["debian-13"]
    assert [stored.image.name.rpartition("-")[0] for stored in store.images()] == ["debian-12"]


def test_pruning_by_size_takes_the_longest_unused_first(
    tmp_path: Path, builder: FakeBuilder
) -> None:
    with a_store(tmp_path, builder) as earlier:
        for name, days in (("debian-11", 3), ("debian-12", 9), ("debian-13", 6)):
            used(earlier, name, days)
        sizes = {stored.image.name: stored.size for stored in earlier.images()}
    store = ImageStore(tmp_path)
    removed = store.prune(most_bytes=max(sizes.values()))
    assert names(removed) == ["debian-12", "debian-13"]
    assert store.prune(most_bytes=max(sizes.values())) == []


def test_an_image_in_use_is_not_pruned(tmp_path: Path, builder: FakeBuilder) -> None:
    with a_store(tmp_path, builder) as user:
        image = user.base_image(load_recipe("debian-12"))
        assert ImageStore(tmp_path).prune(most_bytes=0) == []
        assert image.path.exists()
    assert names(ImageStore(tmp_path).prune(most_bytes=0)) == ["debian-12"]


def test_what_was_installed_from_media_stays_until_it_is_old(
    tmp_path: Path, builder: FakeBuilder
) -> None:
    """A guest on the shelf needs no recipe, and its image took hours."""
    recipe = InstallRecipe(id="own-os", kind="install", guest="own-os", method=Method.KICKSTART)
    builders: Builders = {BootstrapRecipe: builder, InstallRecipe: builder}
    with closing(ImageStore(tmp_path, builders)) as earlier:
        earlier.base_image(recipe)
    store = ImageStore(tmp_path, builders)
    assert store.prune() == []
    assert names(store.prune(unused_for=timedelta(0))) == ["own-os"]


def test_pruning_takes_what_a_broken_build_left(tmp_path: Path, store: ImageStore) -> None:
    left = tmp_path / "images" / "debian-12-0123456789abcdef.making"
    left.mkdir(parents=True)
    assert store.prune() == [left]


def test_pruning_takes_what_a_broken_download_left(tmp_path: Path, store: ImageStore) -> None:
    (tmp_path / "downloads").mkdir()
    fresh, old, own = (tmp_path / "downloads" / n for n in ("a.part", "b.part", "own.qcow2"))
    for file in (fresh, old, own):
        file.write_bytes(b"x")
    long_ago = (datetime.now(UTC) - timedelta(days=2)).timestamp()
    for file in (old, own):
        os.utime(file, (long_ago, long_ago))
    assert store.prune() == [old]
    assert fresh.exists()
    assert own.exists()


def test_the_users_image_is_copied_and_known_again(tmp_path: Path, store: ImageStore) -> None:
    own = tmp_path / "own.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(own), "1M"], check=True)
    before = own.read_bytes()
    image = store.adopt(own)
    assert store.adopt(own) == image
    assert own.read_bytes() == before
    assert image.path.name == IMAGE
    assert image.path.parent.stat().st_mode & 0o007 == 0, "it is not for the host's other users"
    (stored,) = store.images()
    assert stored.provenance.parameters == {"source": "own.qcow2"}


@pytest.mark.parametrize("form", ["raw", "vpc", "vhdx", "vmdk"])
def test_other_formats_are_taken_too(tmp_path: Path, store: ImageStore, form: str) -> None:
    raw = tmp_path / "disk.raw"
    raw.write_bytes((b"\0" * 510 + b"\x55\xaa").ljust(2**20, b"\0"))
    other = tmp_path / f"disk.{form}"
    if form != "raw":
        command = ["qemu-img", "convert", "-f", "raw", "-O", form, str(raw), str(other)]
        subprocess.run(command, check=True)
    info = subprocess.run(
        ["qemu-img", "info", str(store.adopt(other).path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "file format: qcow2" in info.stdout


def test_what_is_no_image_is_refused(tmp_path: Path, store: ImageStore) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no disk\n" * 200, encoding="utf-8")
    with pytest.raises(UsageError, match="is not a disk image"):
        store.adopt(text)
    leaning = tmp_path / "leaning.qcow2"
    base = tmp_path / "base.qcow2"
    for command in (
        ["qemu-img", "create", "-q", "-f", "qcow2", str(base), "1M"],
        ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(base), str(leaning)],
    ):
        subprocess.run(command, check=True)
    with pytest.raises(UsageError, match="depends on another file"):
        store.adopt(leaning)


def test_an_image_is_found_by_its_name_and_verified(store: ImageStore) -> None:
    image = store.base_image(load_recipe("debian-12"))
    assert store.image(image.name) == image
    for name in ("debian-12-0000000000000000", "", ".", "..", f"../images/{image.name}", "*"):
        with pytest.raises(UsageError, match="there is no image"):
            store.image(name)
    image.path.chmod(0o644)
    image.path.write_bytes(b"another disk")
    with pytest.raises(UsageError, match="was altered"):
        store.image(image.name)


def test_an_image_found_by_its_name_is_not_pruned(
    tmp_path: Path, builder: FakeBuilder, store: ImageStore
) -> None:
    name = store.base_image(load_recipe("debian-12")).name
    store.close()
    held = store.image(name)
    with a_store(tmp_path, builder) as other:
        assert other.prune(unused_for=timedelta(0)) == []
    assert held.path.exists()
