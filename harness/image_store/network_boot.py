"""Fetches a packaged installer from a distribution, verified by the archive's signatures."""

from __future__ import annotations

from pathlib import Path

from harness.errors import HarnessError
from harness.image_store.builder import StepReporter
from harness.image_store.programs import run_program
from harness.image_store.recipe import NetworkBoot


def fetch_installer(wanted: NetworkBoot, folder: Path, step: StepReporter) -> tuple[Path, Path]:
    """The kernel and the initrd of a packaged installer, in `folder`.

    The package is neither executed nor installed on this host. Raises HarnessError if the package
    cannot be downloaded, or lacks the files.
    """
    step(f"fetching {wanted.package}")
    tree = folder / "installer"
    run_program(
        ["mmdebstrap", "--variant=extract", f"--include={wanted.package}", wanted.suite, str(tree)],
        log=folder / "fetch.log",
        line=step,
    )
    files = (tree / wanted.kernel.lstrip("/"), tree / wanted.initrd.lstrip("/"))
    for file in files:
        # A link in the package must not lead to files of this host.
        if not file.is_file() or not file.resolve().is_relative_to(tree.resolve()):
            raise HarnessError(
                f"{wanted.package} lacks {file.relative_to(tree)}",
                remedy="correct network_boot in the recipe",
            )
    return files
