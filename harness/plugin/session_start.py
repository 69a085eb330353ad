"""Starts a run, or resumes one that was cut off."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import UTC, datetime

import pytest

from harness.errors import HypervisorUnreachableError, UsageError
from harness.hypervisors.base import Hypervisor
from harness.hypervisors.opening import open_hypervisor
from harness.lab.context import RunContext
from harness.lab.guest_facts import known
from harness.lab.reaper import reap_run, require_free
from harness.lab.workspace import Workspace
from harness.plugin import options
from harness.plugin.recorder import Recorder, environment_of
from harness.profiles.loading import digest
from harness.profiles.model import Profile
from harness.profiles.places import project_root
from harness.profiles.variants import Variant
from harness.results.comparison import differences, fingerprint
from harness.results.manifest import (
    RunManifest,
    cut_half_line,
    outcomes_so_far,
    read_manifest,
    write_manifest,
)
from harness.results.model import OutcomeRecord
from harness.results.store import RunDirectory

Guests = list[tuple[Profile, tuple[Variant, ...]]]

START_NEW = "start a new run with `guestcert certify`"


def start_run(config: pytest.Config, guests: Guests) -> Recorder:
    """Make the run's folders and its recorder, in the controlling process.

    Raises UsageError, also where a run cannot be resumed; HarnessError.
    """
    context = options.make_context(config)
    directory = RunDirectory(context.reports)
    manifest, outcomes = (
        resume_run(context, directory, guests)
        if config.getoption("--resume")
        else (new_run(config, context), ())
    )
    context = dataclasses.replace(context, done=tuple(outcome.identity for outcome in outcomes))
    Workspace(context.store, context.owner).create()
    directory.create()
    write_manifest(manifest, directory)
    selection = options.selection_in_words(config)
    return Recorder(context, guests, selection, manifest, list(outcomes))


def new_run(config: pytest.Config, context: RunContext) -> RunManifest:
    """The manifest of a run that starts now.

    Raises UsageError where a living run has its name.
    """
    try:
        hypervisor: Hypervisor | None = open_hypervisor(context.hypervisor)
    except HypervisorUnreachableError:
        hypervisor = None  # every case will tell
    require_free(hypervisor, context.store, context.run)
    manifest = RunManifest(
        started=datetime.now(UTC),
        folder=str(config.invocation_params.dir),
        arguments=tuple(map(str, config.invocation_params.args)),
        environment=environment_of(context, hypervisor, {}),
        code=_digest_of_code(),
    )
    if hypervisor is not None:
        hypervisor.close()
    return manifest


def resume_run(
    context: RunContext, directory: RunDirectory, guests: Guests
) -> tuple[RunManifest, tuple[OutcomeRecord, ...]]:
    """The run as it started, and what it found so far; removes what its last part left.

    Raises UsageError where it still goes on, and where what it would find now would not belong to
    what it found before.
    """
    manifest = read_manifest(directory)
    hypervisor = open_hypervisor(context.hypervisor)
    require_free(hypervisor, context.store, context.run)
    now = environment_of(context, hypervisor, {})
    for name, before, after in differences(fingerprint(manifest.environment), fingerprint(now)):
        raise _changed(context, f"{name} was {before or 'absent'}, and is {after or 'absent'}")
    if manifest.code != _digest_of_code():
        raise _changed(context, "guestcert's own code, or a suite's, changed")
    for profile, _ in guests:
        _demand_same(context, profile)
    reap_run(hypervisor, context.store, context.run)
    hypervisor.close()
    cut_half_line(directory)
    resumed = (*manifest.resumed, datetime.now(UTC))
    return manifest.model_copy(update={"resumed": resumed}), outcomes_so_far(directory)


def _demand_same(context: RunContext, profile: Profile) -> None:
    """Raise UsageError where a guest's profile changed, or the image that its cases ran on went."""
    facts = known(context.facts, profile.id)
    if facts is None:
        return
    if facts.profile != digest(profile):
        raise _changed(context, f"the profile {profile.id} changed")
    if not facts.image.path.exists():
        raise _changed(context, f"the image {facts.image.name} is no longer in the store")


def _digest_of_code() -> str:
    """Of every file of the harness and the suites: a clone changes without changing its version."""
    whole = hashlib.sha256()
    for folder in ("harness", "suites"):
        for file in sorted((project_root() / folder).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                part = hashlib.sha256(file.read_bytes()).hexdigest()
                whole.update(f"{file.relative_to(project_root())} {part}\n".encode())
    return whole.hexdigest()


def _changed(context: RunContext, what: str) -> UsageError:
    return UsageError(
        f"the run {context.run} cannot be resumed: {what} since it began, so that what it "
        "would find does not belong to what it found",
        remedy=START_NEW,
    )
