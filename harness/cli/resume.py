"""`guestcert resume`: goes on with a run that was stopped, or killed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.pytest_process import PYTEST, run_pytest
from harness.cli.run_lookup import LATEST, run_directory
from harness.errors import UsageError
from harness.profiles.places import project_root
from harness.results.manifest import read_manifest


def resume(
    run: Annotated[str, typer.Argument(help="The run: its id, or its folder.")] = LATEST,
    workers: Annotated[
        int | None, typer.Option("-n", min=0, help="Cases at once; default: as before.")
    ] = None,
    reports: Annotated[
        Path | None, typer.Option(help="Where runs are written; default: reports/.")
    ] = None,
) -> None:
    """Go on with a run that was stopped or killed, as it was asked for.

    Cases that told something of a guest keep their outcomes; the others are run: those that did
    not come to an end, and those that ended broken or blocked.
    """
    directory = run_directory(run, reports or project_root() / "reports")
    manifest = read_manifest(directory)
    folder = Path(manifest.folder)
    if not folder.is_dir():
        raise UsageError(
            f"the folder {folder}, in which the run {directory.path.name} began, is gone",
            remedy="begin a new run with `guestcert certify`",
        )
    command = [*PYTEST, *manifest.arguments, "--run-id", directory.path.name]
    command += ["--reports", str(directory.path.parent), "--resume"]
    command += ["-n", str(workers)] if workers is not None else []
    sys.exit(run_pytest(command, folder, directory, manifest.environment.hypervisor_uri))
