"""`guestcert certify`: a thin front of pytest that shows progress and tells the verdict."""

from __future__ import annotations

import os
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.clean import HypervisorOption
from harness.cli.pytest_process import PYTEST, run_pytest
from harness.errors import UsageError
from harness.hypervisors.definitions import Accelerator
from harness.hypervisors.opening import open_hypervisor
from harness.image_store.choosing import recipe_for
from harness.image_store.imported import examine
from harness.image_store.places import store_root
from harness.profiles.claims import HypervisorKind
from harness.profiles.documents import nearest
from harness.profiles.loading import load_profiles
from harness.profiles.model import Profile
from harness.profiles.places import project_root
from harness.profiles.selection import DEFAULT_GUEST, select
from harness.profiles.variants import NAMES, unmade
from harness.results.store import RunDirectory, new_run_id
from harness.tiers import Tier


class Suite(StrEnum):
    """The suites, which are folders under suites/."""

    BOOT = "boot"
    ISOLATION = "isolation"
    INTEGRATION = "integration"


def certify(
    guest: Annotated[list[str] | None, typer.Argument(help="Id, glob or expression.")] = None,
    suite: Annotated[
        list[str] | None, typer.Option(help=f"Only these: {', '.join(Suite)}.")
    ] = None,
    tier: Annotated[
        Tier, typer.Option(help="How often cases repeat what must hold again and again.")
    ] = Tier.STANDARD,
    variant: Annotated[
        list[str] | None,
        typer.Option(help=f"Only these variants of the guests: {', '.join(NAMES)}."),
    ] = None,
    image: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your own build of the guest's OS.")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(metavar="RECIPE", help="Another recipe than the guest's own.")
    ] = None,
    hypervisor: HypervisorOption = None,
    accelerator: Annotated[
        Accelerator | None, typer.Option(help="Instead of what is proved to work.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("-n", min=0, help="Cases at once; default: by processors.")
    ] = None,
    reports: Annotated[
        Path | None, typer.Option(help="Where runs are written; default: reports/.")
    ] = None,
) -> None:
    """Certify guests: debian-12, or those that ids, globs or expressions name.

    Everything after `--` goes to pytest as it is, for example `-- -k heartbeat`.
    """
    guests, own = split_guests(guest or [])
    wanted = guests or [DEFAULT_GUEST]
    profiles = select(load_profiles(), wanted)
    folders = _suite_folders(suite or [])
    _check_variants(variant or [])
    for profile in profiles:
        if refusal := unmade(profile, HypervisorKind.of(hypervisor or "")):
            raise refusal
    _check_image(image, recipe, profiles)
    open_hypervisor(hypervisor).close()
    run = new_run_id()
    directory = RunDirectory((reports or project_root() / "reports").resolve() / run)
    command = [*PYTEST, *folders, "--run-id", run]
    command += ["--reports", str(directory.path.parent), "--tier", str(tier)]
    for name in wanted:
        command += ["--guest", name]
    for name in variant or []:
        command += ["--variant", name]
    for option, value in (
        ("--image", image.resolve() if image else None),
        ("--recipe", recipe),
        ("--hypervisor", hypervisor),
        ("--accelerator", accelerator),
    ):
        command += [option, str(value)] if value is not None else []
    parallel = _workers(workers, own)
    if parallel:
        command += ["-n", str(parallel)]
    command += own
    if _wants_terminal(own):
        sys.exit(subprocess.call(command, cwd=project_root()))
    directory.create()
    sys.exit(run_pytest(command, project_root(), directory, hypervisor))


def split_guests(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Guests, and what stands after them for pytest: all from the first option on."""
    for index, argument in enumerate(arguments):
        if argument.startswith("-"):
            return arguments[:index], arguments[index:]
    return arguments, []


def _suite_folders(names: list[str]) -> list[str]:
    known = [str(suite) for suite in Suite]
    for name in names:
        if name not in known:
            near = nearest(name, known)
            raise UsageError(
                f"there is no suite {name!r}", remedy=near or f"one of {', '.join(known)}"
            )
    return [f"suites/{name}" for name in names] or ["suites"]


def _check_variants(names: list[str]) -> None:
    """Raises UsageError for what is no variant anywhere."""
    for name in names:
        if name not in NAMES:
            near = nearest(name, list(NAMES))
            raise UsageError(
                f"there is no variant {name!r}", remedy=near or f"one of {', '.join(NAMES)}"
            )


def _check_image(image: Path | None, recipe: str | None, profiles: list[Profile]) -> None:
    """Raises UsageError where there is no way to an image of every guest."""
    if image is None:
        for profile in profiles:
            recipe_for(profile, store_root(), recipe)
        return
    if recipe is not None:
        raise UsageError("an image is given, and a recipe too", remedy="leave one of them out")
    if len(profiles) != 1:
        raise UsageError("--image is one build of one OS", remedy="name just one guest with it")
    examine(image)


def _workers(asked: int | None, own: list[str]) -> int:
    """Two cases at once need two processors: a guest under TCG fills one."""
    if _wants_terminal(own):
        return 0
    return min(4, os.cpu_count() or 1) if asked is None else asked


def _wants_terminal(own: list[str]) -> bool:
    """Whether pytest needs the terminal for itself, for a debugger or to list cases."""
    return bool({"--pdb", "-s", "--collect-only", "--co", "--trace"} & set(own))
