"""`guestcert certify`: a thin front of pytest that shows progress and the verdict."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.arguments import split_arguments
from harness.cli.clean import HypervisorOption
from harness.cli.guest_profiles import profiles_for
from harness.cli.options import AcceleratorOption, TierOption, one_of
from harness.cli.output import echo
from harness.cli.pytest_process import call_pytest, check_selection, run_pytest
from harness.errors import UsageError
from harness.features.tiers import Tier
from harness.hypervisors.connection import default_address, open_hypervisor
from harness.lab.run_choices import RunChoices, Suite
from harness.lab.run_plan import plan_run
from harness.profiles.documents import nearest
from harness.profiles.places import project_root
from harness.profiles.selection import DEFAULT_GUEST
from harness.profiles.variants import NAMES
from harness.results.store import RunDirectory, new_run_id


def certify(
    guest: Annotated[list[str] | None, typer.Argument(help="Id, glob or expression.")] = None,
    suite: Annotated[
        list[str] | None, typer.Option(help=f"Only these: {', '.join(Suite)}.")
    ] = None,
    tier: TierOption = Tier.STANDARD,
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
    accelerator: AcceleratorOption = None,
    workers: Annotated[
        int | None, typer.Option("-n", min=0, help="Cases at once; default: by processors.")
    ] = None,
    keyword: Annotated[
        str, typer.Option("-k", metavar="EXPRESSION", help="Only cases whose names match.")
    ] = "",
    markers: Annotated[
        str, typer.Option("-m", metavar="EXPRESSION", help="Only cases whose marks match.")
    ] = "",
    exit_first: Annotated[
        bool, typer.Option("-x", help="Stop at the first case that fails or breaks.")
    ] = False,
    skip_unavailable: Annotated[
        bool,
        typer.Option("--skip-unavailable", help="Skip guests without an image."),
    ] = False,
    reports: Annotated[
        Path | None, typer.Option(help="Where runs are written; default: reports/.")
    ] = None,
) -> None:
    """Certify guests: debian-12, or those that ids, globs or expressions select.

    Files of cases may follow: suites/boot/test_power.py. Everything after `--` is passed to
    pytest unchanged, for example `-- --lf`.
    """
    parsed = split_arguments(guest or [])
    choices = RunChoices(
        guests=parsed.guests or (DEFAULT_GUEST,),
        variants=tuple(map(one_of("variant", NAMES), dict.fromkeys(variant or []))),
        suites=tuple(map(one_of("suite", tuple(Suite)), dict.fromkeys(suite or []))),
        cases=tuple(map(_existing_case, parsed.cases)),
        tier=tier,
        image=image.resolve() if image else None,
        recipe=recipe,
        accelerator=accelerator,
        hypervisor=hypervisor or default_address(),
        workers=_workers(workers, parsed.untyped),
        keyword=keyword,
        markers=markers,
        exit_first=exit_first,
    )
    plan = plan_run(choices, profiles_for(choices.guests), skip_unavailable=skip_unavailable)
    for name, reason in plan.skipped.items():
        echo(f"guestcert: skipped {name}: {reason.sentence}", err=True)
    ids = tuple(profile.id for profile, _ in plan.guests)
    choices = choices.model_copy(update={"guests": ids})
    open_hypervisor(choices.hypervisor).close()
    run = new_run_id()
    directory = RunDirectory((reports or project_root() / "reports").resolve() / run)
    arguments = [*choices.pytest_arguments(), f"--run-id={run}"]
    arguments += [f"--reports={directory.path.parent}", *parsed.untyped]
    if _wants_terminal(parsed.untyped):
        sys.exit(call_pytest(arguments))
    if keyword or markers or parsed.cases or parsed.untyped:
        check_selection(arguments)
    directory.create()
    sys.exit(run_pytest(arguments, directory, choices.hypervisor))


def _existing_case(argument: str) -> str:
    """A file or folder under suites/, or a node id; raises UsageError with the nearest one."""
    root = project_root()
    path, colons, rest = argument.partition("::")
    found = (Path(path) if Path(path).exists() else root / path).resolve()
    suites = root / "suites"
    if not found.exists() or (found != suites and suites not in found.parents):
        known = [str(file.relative_to(root)) for file in sorted(suites.rglob("test_*.py"))]
        raise UsageError(
            f"there is no file or folder {path!r} of cases",
            remedy=nearest(path, known) or "ls suites/*",
        )
    return f"{found.relative_to(root)}{colons}{rest}"


def _workers(asked: int | None, untyped: Iterable[str]) -> int:
    """The number of workers: one for each processor at most, since a guest under TCG fills one."""
    if _wants_terminal(untyped):
        return 0
    return min(4, os.cpu_count() or 1) if asked is None else asked


def _wants_terminal(untyped: Iterable[str]) -> bool:
    """Whether pytest needs the terminal, for a debugger or to list cases."""
    return bool({"--pdb", "-s", "--collect-only", "--co", "--trace"} & set(untyped))
