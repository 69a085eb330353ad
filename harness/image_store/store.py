"""The store of base images: named by the digest of their inputs, verified at every use."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BufferedWriter
from pathlib import Path

from filelock import FileLock, Timeout

from harness.errors import UsageError
from harness.image_store import qemu_img
from harness.image_store.bootstrap import Bootstrap
from harness.image_store.builder import (
    EVIDENCE,
    IMAGE,
    LOG,
    Builder,
    Material,
    StepReporter,
    file_digest,
)
from harness.image_store.cloud_image import CloudImage, downloads
from harness.image_store.download import UnreachableError, remove_forgotten
from harness.image_store.files import refuse_link, without_links
from harness.image_store.imported import Import, opened
from harness.image_store.private import make_private
from harness.image_store.provenance import FILE, Provenance, read_provenance, write_provenance
from harness.image_store.recipe import (
    BootstrapRecipe,
    CloudImageRecipe,
    ImportRecipe,
    Recipe,
    load_recipe,
    recipe_ids,
)
from harness.image_store.removal import remove_tree

Builders = Mapping[type[Recipe], Builder]

Maker = Callable[[Path, StepReporter], Provenance]
"""Builds an image in a folder, and reports its steps."""

KEY_LENGTH = 16
"""Number of hexadecimal digits of the digest in an image's name."""

MAKING = ".making"
"""Name suffix of the folder of an image under construction."""

UNFINISHED = re.compile(rf"[a-z0-9][a-z0-9._-]*-[0-9a-f]{{{KEY_LENGTH}}}{re.escape(MAKING)}")
"""The name pattern of such a folder."""

PROGRESS = "progress"
"""The file in it that shows the current step to waiting processes."""

IN_USE = "in-use"
"""The lock file of an image; every process that uses it holds a shared lock."""

LISTING = "guestcert images list"

LOOK_SECONDS = 1.0
"""Interval at which a waiting process reports the step of the building process."""


@dataclass(frozen=True)
class BaseImage:
    """A read-only disk (qcow2); `digest` is the SHA-256 of its file."""

    path: Path
    digest: str
    name: str


@dataclass(frozen=True)
class StoredImage:
    """An unverified image in the store; `used`: the time of its last use."""

    image: BaseImage
    provenance: Provenance
    used: datetime

    @property
    def size(self) -> int:
        """The allocated bytes on the host's disk."""
        return self.image.path.stat().st_blocks * 512 if self.image.path.exists() else 0


def own_builders(root: Path) -> Builders:
    """The builders that need no hypervisor."""
    return {
        BootstrapRecipe: Bootstrap(),
        CloudImageRecipe: CloudImage(root),
        ImportRecipe: Import(),
    }


class ImageStore:
    """The images under one root, shared by many processes: one builds, the others wait.

    An image that this store returned is not pruned until the store is closed, or its process ends.
    """

    def __init__(self, root: Path, builders: Builders | None = None) -> None:
        self._folder = root / "images"
        self._downloads = downloads(root)
        self._builders = own_builders(root) if builders is None else builders
        self._held: dict[Path, BufferedWriter] = {}

    def base_image(self, recipe: Recipe, step: StepReporter = lambda _: None) -> BaseImage:
        """The verified image of a recipe, built if it is missing, rebuilt if it is damaged.

        If the vendor cannot be reached, the newest image in the store. Raises HarnessError if the
        build fails.
        """
        builder = self._builders[type(recipe)]
        try:
            inputs = builder.inputs(recipe, step)
        except UnreachableError as error:
            return self._newest_stored(recipe, error, step)
        folder = self._folder / f"{recipe.id}-{_key(recipe, inputs)}"

        def make(fresh: Path, report: StepReporter) -> Provenance:
            started = datetime.now(UTC)
            materials = builder.build(recipe, fresh, report)
            parameters = {"recipe": recipe.model_dump(mode="json")}
            return _record(fresh, started, parameters, inputs, materials)

        return self._obtain(folder, make, step)

    def _newest_stored(
        self, recipe: Recipe, error: UnreachableError, step: StepReporter
    ) -> BaseImage:
        """The newest stored image of the current recipe. Raises `error` without one."""
        wanted = recipe.model_dump(mode="json")
        candidates = [s for s in self.images() if s.provenance.parameters.get("recipe") == wanted]
        if not candidates:
            raise error
        newest = max(candidates, key=lambda stored: stored.provenance.made)
        step(f"{error.sentence}: using the image made on {newest.provenance.made:%Y-%m-%d}")

        def make(fresh: Path, report: StepReporter) -> Provenance:
            raise error  # it was altered, and cannot be rebuilt

        return self._obtain(newest.image.path.parent, make, step)

    def adopt(self, file: Path, step: StepReporter = lambda _: None) -> BaseImage:
        """Import the user's image into the store; the file itself is only read.

        Raises UsageError if it is not a disk image, has a backing file, is damaged or in use, or
        changes meanwhile.
        """
        with opened(file) as source:
            digest = source.digest()
            folder = self._folder / f"own-{digest[:16]}"

            def make(fresh: Path, report: StepReporter) -> Provenance:
                started = datetime.now(UTC)
                report(f"copying {file.name}")
                material = Material(file.name, source.convert(fresh, digest))
                inputs = {"qemu-img": qemu_img.version()}
                return _record(fresh, started, {"source": file.name}, inputs, (material,))

            return self._obtain(folder, make, step)

    def image(self, name: str) -> BaseImage:
        """The verified image of that name; protected from pruning like one of `base_image`.

        Raises UsageError if the store does not have it, or it was altered.
        """
        stored = next((entry for entry in self.images() if entry.image.name == name), None)
        if stored is None:
            raise UsageError(f"there is no image {name!r} in the store", remedy=LISTING)
        with self._locked(stored.image.path.parent, lambda _: None):
            if not _intact(stored.image):
                raise UsageError(
                    f"the image {name} was altered after it was built (its digest differs)",
                    remedy=LISTING,
                )
            self._hold(stored.image.path.parent)
        return stored.image

    def images(self) -> list[StoredImage]:
        """Every image with its provenance, unverified."""
        found = []
        for folder in self._folders():
            provenance = read_provenance(folder)
            if provenance is not None:
                used = folder / IN_USE
                moment = used.stat().st_mtime if used.exists() else provenance.made.timestamp()
                image = _image(folder, provenance)
                found.append(StoredImage(image, provenance, datetime.fromtimestamp(moment, UTC)))
        return found

    def verify(self) -> list[BaseImage]:
        """The images whose digest differs from the recorded one."""
        return [stored.image for stored in self.images() if not _intact(stored.image)]

    def prune(
        self, *, unused_for: timedelta | None = None, most_bytes: int | None = None
    ) -> list[Path]:
        """Remove images, failed builds and unfinished downloads; images in use stay.

        Folders without provenance that are not builds stay too: they are not guestcert's.

        Without limits this removes every image that no current recipe produces, except those
        installed from media. With limits it removes images unused for that long, and then the
        least recently used ones until the rest fits.
        """
        stored = self.images()
        stale = [folder for folder in self._folders() if UNFINISHED.fullmatch(folder.name)]
        by_use = sorted(stored, key=lambda entry: entry.used)
        if unused_for is None and most_bytes is None:
            current = self._current()
            stale += [
                entry.image.path.parent
                for entry in stored
                if entry.image.name not in current and not _was_installed(entry)
            ]
        if unused_for is not None:
            before = datetime.now(UTC) - unused_for
            stale += [e.image.path.parent for e in by_use if e.used < before]
        if most_bytes is not None:
            left = [e for e in by_use if e.image.path.parent not in stale]
            total = sum(entry.size for entry in left)
            for entry in left:
                if total <= most_bytes:
                    break
                stale.append(entry.image.path.parent)
                total -= entry.size
        removed = [folder for folder in stale if self._remove(folder)]
        return removed + remove_forgotten(self._downloads)

    def _folders(self) -> list[Path]:
        """The entries of the store's image folder; links are not followed."""
        return [path for path in sorted(self._folder.glob("*/")) if not path.is_symlink()]

    def _current(self) -> set[str]:
        """The image names of the current recipes, as far as they can be computed."""
        names = set()
        for identifier in recipe_ids():
            recipe = load_recipe(identifier)
            builder = self._builders.get(type(recipe))
            if isinstance(builder, Bootstrap):
                inputs = builder.inputs(recipe, lambda _: None)
                names.add(f"{recipe.id}-{_key(recipe, inputs)}")
            else:  # the vendor's current file is unknown while it is unreachable
                there = self._folder.glob(f"{recipe.id}-*")
                names |= {f.name for f in there if f.name[: -KEY_LENGTH - 1] == recipe.id}
        return names

    def _obtain(self, folder: Path, make: Maker, step: StepReporter) -> BaseImage:
        with self._locked(folder, step):
            provenance = self._verified(folder, step)
            if provenance is None:
                provenance = self._make(folder, make, step)
            self._hold(folder)
        return _image(folder, provenance)

    def _verified(self, folder: Path, step: StepReporter) -> Provenance | None:
        provenance = read_provenance(folder)
        if provenance is None:
            return None
        if _intact(_image(folder, provenance)):
            return provenance
        step(f"{folder.name} was altered after it was built (its digest differs): rebuilding it")
        remove_tree(folder)
        return None

    def _make(self, folder: Path, make: Maker, step: StepReporter) -> Provenance:
        """Build the image in a temporary folder, and rename it atomically."""
        fresh = folder.with_name(folder.name + MAKING)
        remove_tree(fresh)
        fresh.mkdir(parents=True)
        make_private(fresh)
        try:
            provenance = make(fresh, _with_progress_file(fresh / PROGRESS, step))
            (fresh / IMAGE).chmod(0o444)
            _leave_only(fresh, IMAGE, FILE, LOG, EVIDENCE)  # answer files hold keys
            make_private(fresh)  # a builder may have changed the mode
            remove_tree(folder)
            fresh.rename(folder)
        except BaseException:
            _leave_only(fresh, LOG, EVIDENCE)
            raise
        return provenance

    @contextmanager
    def _locked(self, folder: Path, step: StepReporter) -> Iterator[None]:
        """Hold the image's lock; report the other process's step while it holds the lock."""
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._folder / f".{folder.name}.lock")
        progress = folder.with_name(folder.name + MAKING) / PROGRESS
        while True:
            try:
                lock.acquire(timeout=LOOK_SECONDS)
                break
            except Timeout:
                doing = ""
                with suppress(OSError):
                    doing = progress.read_text(encoding="utf-8")
                step(f"waiting for another process that builds it: {doing}".rstrip(" :"))
        try:
            yield
        finally:
            lock.release()

    def close(self) -> None:
        """Release the returned images, which may be pruned from now on."""
        while self._held:
            self._held.popitem()[1].close()

    def _hold(self, folder: Path) -> None:
        """Protect an image from pruning, and record its use."""
        if folder not in self._held:
            self._held[folder] = _open_in_use(folder)
        fcntl.flock(self._held[folder], fcntl.LOCK_SH)
        os.utime(self._held[folder].fileno())

    def _remove(self, folder: Path) -> bool:
        """Remove an image, unless a process builds or uses it."""
        lock = FileLock(self._folder / f".{folder.name.removesuffix(MAKING)}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        try:
            if not folder.name.endswith(MAKING):
                with _open_in_use(folder) as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_tree(folder)
        except BlockingIOError:
            return False
        finally:
            lock.release()
        return True


def _open_in_use(folder: Path) -> BufferedWriter:
    """Open the lock file of an image."""
    refuse_link(folder / IN_USE)
    return open(folder / IN_USE, "wb", opener=without_links)


def _was_installed(entry: StoredImage) -> bool:
    """Whether an image was installed, which takes hours and may have no recipe file."""
    recipe = entry.provenance.parameters.get("recipe")
    return isinstance(recipe, dict) and recipe.get("kind") == "install"


def _key(recipe: Recipe, inputs: Mapping[str, str]) -> str:
    """The short digest of all inputs of the recipe's image."""
    document = json.dumps([recipe.model_dump(mode="json"), dict(inputs)], sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()[:KEY_LENGTH]


def _record(
    fresh: Path,
    started: datetime,
    parameters: Mapping[str, object],
    inputs: Mapping[str, str],
    materials: tuple[Material, ...],
) -> Provenance:
    digest = file_digest(fresh / IMAGE)
    return write_provenance(fresh, digest, started, parameters, inputs, materials)


def _with_progress_file(file: Path, step: StepReporter) -> StepReporter:
    def report(text: str) -> None:
        with suppress(OSError):  # a full disk fails the build itself, with a better message
            file.write_text(text, encoding="utf-8")
        step(text)

    return report


def _leave_only(folder: Path, *names: str) -> None:
    """Remove everything from a folder except the given names."""
    for entry in folder.glob("*"):
        if entry.name in names:
            continue
        if entry.is_dir() and not entry.is_symlink():
            remove_tree(entry)
        else:
            entry.unlink(missing_ok=True)


def _image(folder: Path, provenance: Provenance) -> BaseImage:
    return BaseImage(folder / IMAGE, provenance.sha256, folder.name)


def _intact(image: BaseImage) -> bool:
    return image.path.is_file() and file_digest(image.path) == image.digest
