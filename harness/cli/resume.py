"""`guestcert resume`: resumes a run that was stopped or killed."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.arguments import split_arguments
from harness.cli.clean import HypervisorOption
from harness.cli.output import echo
from harness.cli.pytest_process import run_pytest, show_verdict
from harness.cli.run_lookup import newest_run, run_directory
from harness.errors import UsageError
from harness.hypervisors.connection import is_plain_address
from harness.lab.manifest import RunManifest, read_manifest
from harness.lab.run_choices import RunChoices
from harness.profiles.places import project_root
from harness.results.outcome_log import is_finished
from harness.results.store import RunDirectory, read_run


def resume(
    run: Annotated[
        list[str] | None, typer.Argument(help="The run: its id, or its folder; else the newest.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("-n", min=0, help="Cases at once; default: as before.")
    ] = None,
    hypervisor: HypervisorOption = None,
    reports: Annotated[
        Path | None, typer.Option(help="Where runs are written; default: reports/.")
    ] = None,
) -> None:
    """Resume a run that was stopped or killed, with the same choices.

    Conclusive outcomes stay; the other cases are run: those that did not finish, and those that
    ended broken or blocked. A complete run is left unchanged, and gives its exit code again.

    Arguments after `--` that certify passed to pytest must be given again.
    """
    parsed = split_arguments(run or [])
    names = [*parsed.guests, *parsed.cases]
    if len(names) > 1:
        raise UsageError(f"{len(names)} runs are named", remedy="resume one run at a time")
    folder = reports or project_root() / "reports"
    directory = run_directory(names[0], folder) if names else newest_run(folder)
    manifest = read_manifest(directory)
    if directory.run_json.exists():
        record = read_run(directory)
        if is_finished(record):
            status = show_verdict(record, directory)
            echo(f"guestcert: {record.run} is complete: nothing is left to do", err=True)
            sys.exit(status)
    _require_same_arguments(directory, manifest, parsed.untyped)
    choices = _trusted_choices(directory, manifest, hypervisor)
    if workers is not None:
        choices = choices.model_copy(update={"workers": workers})
    arguments = [*choices.pytest_arguments(), f"--run-id={directory.path.name}"]
    arguments += [f"--reports={directory.path.parent}", "--resume", *parsed.untyped]
    sys.exit(run_pytest(arguments, directory, choices.hypervisor))


def _require_same_arguments(
    directory: RunDirectory, manifest: RunManifest, given: tuple[str, ...]
) -> None:
    """Raise UsageError where the user's arguments for pytest differ from the earlier ones."""
    if given == manifest.untyped:
        return
    again = shlex.join(manifest.untyped)
    raise UsageError(
        f"the run {directory.path.name} passed {again or 'nothing'} to pytest, and now "
        f"{shlex.join(given) or 'nothing'} is given: arguments of pytest are not taken from a file",
        remedy=f"check them, then: guestcert resume {directory.path.name}"
        + (f" -- {again}" if again else ""),
    )


def _trusted_choices(
    directory: RunDirectory, manifest: RunManifest, hypervisor: str | None
) -> RunChoices:
    """The choices of the run, with the user's hypervisor address or a trusted one."""
    choices = manifest.choices
    if hypervisor is not None:
        return choices.model_copy(update={"hypervisor": hypervisor})
    if choices.hypervisor is not None and not is_plain_address(choices.hypervisor):
        raise UsageError(
            f"the run {directory.path.name} was on the hypervisor {choices.hypervisor!r}, an "
            "address that is not taken from a file",
            remedy=f"guestcert resume {directory.path.name} --hypervisor URI",
        )
    return choices
