"""Lookup of a run by its id or by its folder."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UsageError
from harness.profiles.documents import nearest
from harness.results.store import LATEST, RunDirectory


def run_directory(name: str, folder: Path) -> RunDirectory:
    """The directory of a run: by its id in `folder`, or by a path, which holds a `/`.

    Raises UsageError where there is none. A bare name is never looked up in the current folder,
    where another user may have put a run of that name.
    """
    path = Path(name) if "/" in name else folder / name
    if path.is_dir() and name not in (".", ".."):
        return RunDirectory(path.resolve())
    known = sorted(path.name for path in _runs(folder))
    raise UsageError(
        f"there is no run {name!r} in {folder}",
        remedy=nearest(name, known) or (f"one of {', '.join(known[-5:])}" if known else None),
    )


def newest_run(folder: Path) -> RunDirectory:
    """The run that was started or resumed last, complete or not.

    Raises UsageError where there is none.
    """
    found = [run for run in map(RunDirectory, _runs(folder)) if run.manifest.exists()]
    if not found:
        raise UsageError(f"there is no run in {folder}", remedy="guestcert certify")
    return max(found, key=lambda run: run.manifest.stat().st_mtime_ns)


def _runs(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*/") if path.name != LATEST and _is_run(path)]


def _is_run(path: Path) -> bool:
    directory = RunDirectory(path)
    return directory.run_json.exists() or directory.manifest.exists()
