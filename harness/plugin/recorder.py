"""The recorder of a run: gathers the workers' records in the controlling process."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from harness.features.catalogue import load_catalogue
from harness.hypervisors.base import Hypervisor
from harness.hypervisors.capabilities import RUN
from harness.lab.context import RunContext
from harness.lab.guest_facts import known
from harness.lab.manifest import RunManifest
from harness.lab.software import known_software
from harness.plugin.case_index import find_case
from harness.plugin.environment import environment_of
from harness.plugin.worker import ENVIRONMENT, RECORD
from harness.profiles.variants import SelectedGuests
from harness.reporting.writer import write_reports
from harness.results.comparison import differences, fingerprint
from harness.results.model import Completion, Environment, GuestBuild, OutcomeRecord, RunRecord
from harness.results.outcomes import Outcome
from harness.results.store import RunDirectory
from harness.results.verdicts import certify, judge
from harness.time_accounting import TimeLedger


@dataclass
class Recorder:
    """One run's outcomes as they come in, and the run's record at its end."""

    context: RunContext
    guests: SelectedGuests
    selection: str
    manifest: RunManifest
    outcomes: list[OutcomeRecord] = field(default_factory=list)
    attempts: Counter[str] = field(default_factory=Counter)  # by case key
    ledger: TimeLedger = field(default_factory=TimeLedger)
    _known: dict[str, GuestBuild] = field(default_factory=dict)
    _environments: list[Environment] = field(default_factory=list)  # the workers', each once

    @property
    def directory(self) -> RunDirectory:
        """Where the run is written."""
        return RunDirectory(self.context.reports)

    def take(self, report: pytest.TestReport) -> None:
        """Take the record in a finished case's report, or record the loss of its worker."""
        document: dict[str, Any] | None = getattr(report, RECORD, None)
        if document is not None:
            self._add(OutcomeRecord.model_validate(document))
            self._note_environment(getattr(report, ENVIRONMENT, None))
        elif report.when not in ("setup", "call", "teardown"):
            self._add(self._lost(report))

    def note_guests(self) -> None:
        """Read the workers' facts of the guests, before the run's files are removed."""
        for profile, _ in self.guests:
            facts = known(self.context.facts, profile.id)
            if facts is not None:
                self._known[profile.id] = GuestBuild(
                    image=facts.digest,
                    image_name=facts.image,
                    profile=facts.profile,
                    **asdict(known_software(profile.id, self.context.guests)),
                )

    def finish(
        self, hypervisor: Hypervisor | None, completion: Completion = Completion.COMPLETE
    ) -> RunRecord:
        """Judge the outcomes, write the run directory, and return the run's record."""
        catalogue = load_catalogue()
        found = self._environments or [environment_of(self.context, hypervisor, {})]
        environment = found[0].model_copy(update={"guests": self._known})
        verdicts = judge(
            self.outcomes,
            self.guests,
            catalogue,
            environment.hypervisor_uri,
            self.context.kind,
            self.context.tier,
        )
        run = RunRecord(
            run=self.context.run,
            started=self.manifest.started,
            resumed=self.manifest.resumed,
            finished=datetime.now(UTC),
            tier=self.context.tier,
            selection=self.selection,
            completion=completion,
            environment=environment,
            ledger=self._ledger(),
            outcomes=tuple(self.outcomes),
            verdicts=verdicts,
            certificates=certify(
                verdicts,
                self.outcomes,
                self.guests,
                _images(environment),
                self.context.tier,
                _obstacle(hypervisor) or self._differing_environments(),
            ),
        )
        write_reports(run, self.directory, catalogue)
        return run

    def _note_environment(self, document: dict[str, Any] | None) -> None:
        environment = None if document is None else Environment.model_validate(document)
        if environment is not None and environment not in self._environments:
            self._environments.append(environment)

    def _differing_environments(self) -> str:
        """Why no certificate can be given: it speaks of one environment; empty where it can."""
        for other in self._environments[1:]:
            before, after = fingerprint(self._environments[0]), fingerprint(other)
            names = ", ".join(name for name, _, _ in differences(before, after))
            return f"the cases ran in different environments, by {names}"
        return ""

    def _add(self, outcome: OutcomeRecord) -> None:
        self.attempts[outcome.key] += 1
        outcome = outcome.model_copy(update={"attempt": self.attempts[outcome.key]})
        self.outcomes.append(outcome)
        with self.directory.outcomes.open("a", encoding="utf-8") as file:
            file.write(outcome.model_dump_json() + "\n")

    def _lost(self, report: pytest.TestReport) -> OutcomeRecord:
        """The record of a case whose worker process died under it."""
        return OutcomeRecord(
            **find_case(self.context, report.nodeid).model_dump(),
            hypervisor=self.context.hypervisor or "",
            outcome=Outcome.BROKEN,
            reason=f"the worker process died: {report.longreprtext[:500]}",
            worker_lost=True,
            seconds=0,
        )

    def _ledger(self) -> dict[str, float]:
        total: dict[str, float] = {}
        for outcome in self.outcomes:
            for work, seconds in outcome.ledger.items():
                total[work] = round(total.get(work, 0.0) + seconds, 3)
        return total or self.ledger.take()


def _obstacle(hypervisor: Hypervisor | None) -> str:
    """Why no guest could be examined from inside; empty where they could."""
    if hypervisor is None or RUN in hypervisor.capabilities:
        return ""
    return f"{hypervisor.uri} executes no guest code, so no case inside a guest could run there"


def _images(environment: Environment) -> dict[str, str]:
    """The digest of each guest's base image."""
    return {guest: build.image for guest, build in environment.guests.items()}
