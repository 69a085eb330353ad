"""The store of base images: each under the digest of what it was made from, verified at use."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from harness.errors import HarnessError, UsageError
from harness.image_store import bootstrap, disk
from harness.image_store.programs import run_program
from harness.image_store.recipe import Recipe, load_recipe, recipe_ids

Step = Callable[[str], None]
Builder = Callable[[Recipe, Path, Step], Path]

IMAGE = "image.qcow2"
PROVENANCE = "provenance.json"


@dataclass(frozen=True)
class BaseImage:
    """A read-only disk (qcow2); `digest` is the SHA-256 of its file."""

    path: Path
    digest: str
    name: str


class ImageStore:
    """The images under one root. Many processes may use it at once: one builds, the rest wait."""

    def __init__(self, root: Path, builder: Builder = bootstrap.build) -> None:
        self._folder = root / "images"
        self._builder = builder

    def base_image(self, identifier: str, step: Step = lambda _: None) -> BaseImage:
        """The image of a recipe: verified, built where it is not there, rebuilt where it is bad.

        Raises UsageError for an unknown recipe, HarnessError where the build fails.
        """
        recipe = load_recipe(identifier)
        folder = self._folder / f"{recipe.id}-{recipe_key(recipe)[:16]}"
        with self._lock(folder.name, step):
            image = self._verified(folder, step)
            return image or self._build(recipe, folder, step)

    def adopt(self, file: Path, step: Step = lambda _: None) -> BaseImage:
        """The user's own image, copied into the store; the file itself is only read.

        Raises UsageError where it is no disk image, or one that leans on another file.
        """
        info = _image_info(file)
        digest = _digest(file)
        folder = self._folder / f"own-{digest[:16]}"
        with self._lock(folder.name, step):
            image = self._verified(folder, step)
            if image is not None:
                return image
            step(f"copying {file.name}")
            with self._fresh(folder) as fresh:
                target = fresh / IMAGE
                run_program(
                    ["qemu-img", "convert", "-f", info, "-O", "qcow2", str(file), str(target)]
                )
                return self._keep(fresh, folder, {"source": file.name, "source_sha256": digest})

    def images(self) -> list[tuple[BaseImage, dict[str, object]]]:
        """Every image with its provenance, unverified."""
        found = []
        for folder in sorted(self._folder.glob("*/")):
            provenance = _provenance(folder)
            if provenance is not None:
                found.append((_image(folder, provenance), provenance))
        return found

    def verify(self) -> list[BaseImage]:
        """The images whose content is not what was recorded."""
        return [image for image, _ in self.images() if not _intact(image)]

    def prune(self) -> list[Path]:
        """Remove every image that no present recipe makes, and what broken builds left."""
        current = {
            f"{identifier}-{recipe_key(load_recipe(identifier))[:16]}"
            for identifier in recipe_ids()
        }
        removed = []
        for folder in sorted(self._folder.glob("*/")):
            if folder.name not in current:
                shutil.rmtree(folder)
                removed.append(folder)
        return removed

    def _verified(self, folder: Path, step: Step) -> BaseImage | None:
        provenance = _provenance(folder)
        if provenance is None:
            return None
        image = _image(folder, provenance)
        if _intact(image):
            return image
        step(f"{image.name} was altered since it was made (its digest differs): making it anew")
        shutil.rmtree(folder)
        return None

    def _build(self, recipe: Recipe, folder: Path, step: Step) -> BaseImage:
        with self._fresh(folder) as fresh:
            self._builder(recipe, fresh, step)
            return self._keep(fresh, folder, {"recipe": recipe.model_dump(mode="json")})

    def _keep(self, fresh: Path, folder: Path, made_from: dict[str, object]) -> BaseImage:
        """Record where the image comes from, and put it in its place in one step."""
        image = fresh / IMAGE
        image.chmod(0o444)
        provenance: dict[str, object] = {
            "sha256": _digest(image),
            "built": datetime.now(UTC).isoformat(timespec="seconds"),
            "tools": bootstrap.tool_versions(),
            **made_from,
        }
        packages = fresh / "parts" / "packages.txt"
        if packages.exists():
            provenance["packages"] = packages.read_text(encoding="utf-8").splitlines()
        shutil.rmtree(fresh / "parts", ignore_errors=True)
        (fresh / PROVENANCE).write_text(json.dumps(provenance, indent=1), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
        return _image(folder, provenance)

    def _fresh(self, folder: Path) -> _Fresh:
        return _Fresh(folder.with_name(f"{folder.name}.making"))

    def _lock(self, name: str, step: Step) -> FileLock:
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._folder / f".{name}.lock")
        if lock.is_locked:
            step("waiting for another process that makes it")
        return lock


class _Fresh:
    """A folder to build in, emptied first; a failed build leaves only its log there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Path:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self._folder.chmod(0o755)
        return self._folder

    def __exit__(self, *_: object) -> None:
        for entry in self._folder.glob("*") if self._folder.exists() else ():
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name != "build.log":
                entry.unlink(missing_ok=True)


def recipe_key(recipe: Recipe) -> str:
    """The digest of all that shapes the recipe's image: its text, our code, the tools."""
    code = [Path(disk.__file__), Path(bootstrap.__file__), bootstrap.HOOK]
    parts = [recipe.model_dump_json(), json.dumps(bootstrap.tool_versions())]
    parts += [path.read_text(encoding="utf-8") for path in code]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _image(folder: Path, provenance: dict[str, object]) -> BaseImage:
    return BaseImage(folder / IMAGE, str(provenance["sha256"]), folder.name)


def _provenance(folder: Path) -> dict[str, object] | None:
    try:
        document = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) and "sha256" in document else None


def _intact(image: BaseImage) -> bool:
    return image.path.is_file() and _digest(image.path) == image.digest


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _image_info(file: Path) -> str:
    """The format of a user's image; refuses what is none, and what leans on other files."""
    try:
        info = json.loads(run_program(["qemu-img", "info", "--output=json", str(file)]))
    except (HarnessError, ValueError) as error:
        raise UsageError(f"{file} is no disk image that qemu-img can read") from error
    specific = (info.get("format-specific") or {}).get("data") or {}
    if info.get("backing-filename") or specific.get("data-file"):
        raise UsageError(
            f"{file} leans on another file ({info.get('backing-filename')}), and may not",
            remedy=f"flatten it: qemu-img convert -O qcow2 {file.name} flat.qcow2",
        )
    if info["format"] == "raw" and not _has_boot_sector(file):
        raise UsageError(
            f"{file} is no disk image: neither qcow2 nor a disk with a boot sector",
            remedy="give a qcow2, raw, vhdx or vmdk file",
        )
    return str(info["format"])


def _has_boot_sector(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(512)[510:512] == b"\x55\xaa"
