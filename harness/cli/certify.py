"""`guestcert certify`: a thin front of pytest that shows progress and tells the verdict."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from harness.cli.clean import HypervisorOption
from harness.cli.progress import Progress
from harness.errors import HarnessError, UsageError
from harness.hypervisors.definitions import Accelerator
from harness.hypervisors.opening import open_hypervisor
from harness.image_store.choosing import recipe_for
from harness.image_store.places import store_root
from harness.lab.context import live_folder
from harness.lab.reaper import reap_run
from harness.profiles.claims import HypervisorKind
from harness.profiles.documents import nearest
from harness.profiles.loading import load_profiles
from harness.profiles.model import Profile
from harness.profiles.places import project_root
from harness.profiles.selection import DEFAULT_GUEST, select
from harness.profiles.variants import NAMES, unmade
from harness.reporting.terminal import summary
from harness.results.store import RunDirectory, exit_code, new_run_id, read_run
from harness.tiers import Tier

PYTEST_USAGE = 4
INTERRUPTED = 130
"""What shells report of a command that Ctrl-C ended."""


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
    command = [sys.executable, "-m", "pytest", *folders, "--run-id", run]
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
    sys.exit(_run([*command, *own], directory, run, hypervisor, _wants_terminal(own)))


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
    if not image.is_file():
        raise UsageError(f"the image {image} is no file", remedy="give the path of a disk image")
    if recipe is not None:
        raise UsageError("an image is given, and a recipe too", remedy="leave one of them out")
    if len(profiles) != 1:
        raise UsageError("--image is one build of one OS", remedy="name just one guest with it")


def _workers(asked: int | None, own: list[str]) -> int:
    """Two cases at once need two processors: a guest under TCG fills one."""
    if _wants_terminal(own):
        return 0
    return min(4, os.cpu_count() or 1) if asked is None else asked


def _wants_terminal(own: list[str]) -> bool:
    """Whether pytest needs the terminal for itself, for a debugger or to list cases."""
    return bool({"--pdb", "-s", "--collect-only", "--co", "--trace"} & set(own))


def _run(
    command: list[str],
    directory: RunDirectory,
    run: str,
    hypervisor: str | None,
    own_terminal: bool,
) -> int:
    if own_terminal:
        return subprocess.call(command, cwd=project_root())
    directory.create()
    log = directory.path / "pytest.log"
    with log.open("wb") as output, _Stops() as stops:
        process = subprocess.Popen(
            command,
            cwd=project_root(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        stops.hand_on_to(process)
        _follow(process, directory, run)
        stopped = stops.came
    if stopped:
        _reap(hypervisor, run)
        typer.echo(f"guestcert: stopped; nothing is left running. Report: {directory.path}")
        return INTERRUPTED
    if not directory.run_json.exists():
        return _explain(process.returncode, log)
    record = read_run(directory)
    typer.echo(summary(record, directory, colour=_colour()))
    return exit_code(record)


class _Stops:
    """Ctrl-C and SIGTERM, kept and handed on to pytest as Ctrl-C, at which it cleans up.

    Entered before pytest is started: a background job begins with Ctrl-C ignored, and what is
    ignored would stay so in pytest; what has a handler is not.
    """

    def __init__(self) -> None:
        self.came = False
        self._process: subprocess.Popen[bytes] | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> _Stops:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def hand_on_to(self, process: subprocess.Popen[bytes]) -> None:
        """From now on, and what came before too."""
        self._process = process
        if self.came:
            process.send_signal(signal.SIGINT)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.came = True
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)


def _follow(process: subprocess.Popen[bytes], directory: RunDirectory, run: str) -> None:
    """Show progress until pytest ends."""
    with Progress(directory, live_folder(store_root(), run)) as progress:
        while True:
            try:
                process.wait(timeout=0.5)
                break
            except subprocess.TimeoutExpired:
                progress.update()
        progress.update()


def _reap(hypervisor: str | None, run: str) -> None:
    """Take away what the stopped pytest did not get to."""
    connection = open_hypervisor(hypervisor)
    reaped = reap_run(connection, store_root(), run)
    connection.close()
    if reaped.failed:
        raise HarnessError("not everything could be removed: " + "; ".join(reaped.failed))


def _explain(status: int, log: Path) -> int:
    """Pytest ended without a record: say what it said."""
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    telling = [line for line in said if line.startswith(("ERROR", "Exit:", "!", "E "))] or said
    sentence = "\n".join(telling[-6:]) or f"pytest ended with {status} and said nothing"
    if status == PYTEST_USAGE:
        raise UsageError(sentence, evidence=log)
    raise HarnessError(sentence, evidence=log)


def _colour() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
