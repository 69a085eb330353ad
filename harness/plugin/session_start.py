"""Starts a run, or resumes one that was cut off."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from contextlib import closing
from datetime import UTC, datetime

import pytest

from harness.errors import HypervisorUnreachableError, UsageError
from harness.hypervisors.base import Hypervisor
from harness.hypervisors.connection import open_hypervisor
from harness.image_store.store import ImageStore
from harness.lab.context import RunContext
from harness.lab.guest_facts import known, stored_image
from harness.lab.manifest import START_NEW, RunManifest, read_manifest, write_manifest
from harness.lab.reaper import reap_run, require_free
from harness.lab.run_plan import RunPlan
from harness.lab.workspace import Workspace
from harness.plugin import options
from harness.plugin.environment import environment_of
from harness.plugin.recorder import Recorder
from harness.profiles.loader import digest
from harness.profiles.model import Profile
from harness.profiles.places import project_root
from harness.profiles.variants import SelectedGuests
from harness.results.comparison import differences, fingerprint
from harness.results.model import OutcomeRecord
from harness.results.outcome_log import attempts, is_finished, outcomes_so_far, remove_partial_line
from harness.results.store import RunDirectory, read_run


def start_run(config: pytest.Config, plan: RunPlan) -> Recorder:
    """Make the run's folders and its recorder, in the controlling process.

    Raises UsageError, also where a run cannot be resumed; HarnessError.
    """
    # Nobody else may write what a run is resumed from; its workers inherit this.
    os.umask(os.umask(0o022) | 0o022)
    context = options.make_context(config, plan)
    directory = RunDirectory(context.reports)
    manifest, outcomes = (
        resume_run(context, directory, plan.guests)
        if config.getoption("--resume")
        else (new_run(config, context, plan), ())
    )
    context = dataclasses.replace(context, done=tuple(outcome.key for outcome in outcomes))
    Workspace(context.store, context.owner).create()
    directory.create()
    write_manifest(manifest, directory)
    selection = options.selection_in_words(plan.choices, config)
    return Recorder(context, plan.guests, selection, manifest, list(outcomes), attempts(directory))


def new_run(config: pytest.Config, context: RunContext, plan: RunPlan) -> RunManifest:
    """The manifest of a run that starts now, with the ids of its guests.

    Raises UsageError where a living run has its id.
    """
    try:
        hypervisor: Hypervisor | None = open_hypervisor(context.hypervisor)
    except HypervisorUnreachableError:
        hypervisor = None  # every case reports it
    require_free(hypervisor, context.store, context.run)
    ids = tuple(profile.id for profile, _ in plan.guests)
    manifest = RunManifest(
        started=datetime.now(UTC),
        choices=plan.choices.model_copy(update={"guests": ids}),
        untyped=options.untyped_arguments(config),
        environment=environment_of(context, hypervisor, {}),
        code=_digest_of_code(),
    )
    if hypervisor is not None:
        hypervisor.close()
    return manifest


def resume_run(
    context: RunContext, directory: RunDirectory, guests: SelectedGuests
) -> tuple[RunManifest, tuple[OutcomeRecord, ...]]:
    """The manifest of the run and its conclusive outcomes; removes its leftovers.

    Raises UsageError where it still runs, where nothing is left to do, and where its environment
    changed, so that new outcomes would not belong to the earlier ones.
    """
    manifest = read_manifest(directory)
    if directory.run_json.exists() and is_finished(read_run(directory)):
        raise UsageError(f"the run {context.run} is complete: nothing is left to do")
    hypervisor = open_hypervisor(context.hypervisor)
    require_free(hypervisor, context.store, context.run)
    now = environment_of(context, hypervisor, {})
    for name, before, after in differences(fingerprint(manifest.environment), fingerprint(now)):
        raise _changed(context, f"{name} was {before or 'absent'}, and is {after or 'absent'}")
    if manifest.code != _digest_of_code():
        raise _changed(context, "guestcert's own code, or a suite's, changed")
    for profile, _ in guests:
        _require_same(context, profile)
    reap_run(hypervisor, context.store, context.run)
    hypervisor.close()
    remove_partial_line(directory)
    resumed = (*manifest.resumed, datetime.now(UTC))
    return manifest.model_copy(update={"resumed": resumed}), outcomes_so_far(directory)


def _require_same(context: RunContext, profile: Profile) -> None:
    """Raise UsageError where a guest's profile or image changed."""
    facts = known(context.facts, profile.id)
    if facts is None:
        return
    if facts.profile != digest(profile):
        raise _changed(context, f"the profile {profile.id} changed")
    try:
        with closing(ImageStore(context.store)) as store:
            stored_image(facts, store)
    except UsageError as error:
        raise _changed(context, error.sentence) from error


def _digest_of_code() -> str:
    """Digest of all files of the harness and the suites: a clone changes between versions."""
    whole = hashlib.sha256()
    for folder in ("harness", "suites"):
        for file in sorted((project_root() / folder).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                part = hashlib.sha256(file.read_bytes()).hexdigest()
                whole.update(f"{file.relative_to(project_root())} {part}\n".encode())
    return whole.hexdigest()


def _changed(context: RunContext, what: str) -> UsageError:
    return UsageError(
        f"the run {context.run} cannot be resumed: {what} since it started, so new outcomes "
        "would not belong to the earlier ones",
        remedy=START_NEW,
    )
