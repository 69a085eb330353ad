"""Finds a run by its id or by its folder."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UsageError
from harness.profiles.documents import nearest
from harness.results.store import RunDirectory

LATEST = "latest"


def run_directory(name: str, folder: Path) -> RunDirectory:
    """The directory of a run; raises UsageError where `name` is none, in `folder` or elsewhere."""
    for path in (Path(name), folder / name):
        if path.is_dir():
            return RunDirectory(path.resolve())
    known = sorted(path.name for path in folder.glob("*/") if path.name != LATEST and _is_run(path))
    raise UsageError(
        f"there is no run {name!r} in {folder}",
        remedy=nearest(name, known) or (f"one of {', '.join(known[-5:])}" if known else None),
    )


def _is_run(path: Path) -> bool:
    directory = RunDirectory(path)
    return directory.run_json.exists() or directory.manifest.exists()
