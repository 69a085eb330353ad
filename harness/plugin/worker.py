"""The worker of a run: classifies each phase, takes evidence, and records the case."""

from __future__ import annotations

import shlex
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import allure
import allure_commons
import pytest

from harness.errors import Blocked, GuestFailure, HarnessError, NotApplicable
from harness.features.tiers import Tier
from harness.guests.evidence import EvidenceCollector
from harness.lab.bench import Bench
from harness.lab.context import RunContext
from harness.plugin.actors import GUESTS
from harness.plugin.allure_results import AllureResults, label, name, note_outcome
from harness.plugin.collection import Target, case_of, case_record, feature_of, target_of
from harness.plugin.environment import environment_of
from harness.plugin.outcomes import PhaseEnd, classify, with_known_issues, worst_phase
from harness.plugin.report_text import sanitize_report
from harness.results.model import Metric, OutcomeRecord
from harness.results.outcomes import Outcome

RECORD = "guestcert"
"""The report's attribute under which a finished case's record travels to the controller."""

ENVIRONMENT = "guestcert_environment"
"""The attribute of a worker's first report that holds the environment in which its cases run."""

PHASE = "guestcert_phase"
"""The report's attribute that holds the outcome of a failed phase."""

REPORTED = "guestcert_reported"
"""The last report's attribute: whether pytest has shown the case's failure already."""


@dataclass
class Notes:
    """What is gathered about one case while it runs."""

    started: float = field(default_factory=time.monotonic)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    phases: list[PhaseEnd] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    console_marks: dict[str, int] = field(default_factory=dict)
    reported: bool = False  # a phase before this one was reported as failed


NOTES = pytest.StashKey[Notes]()


class Metrics(Protocol):
    """Records measured figures of a case."""

    def __call__(self, name: str, value: float, unit: str) -> None:
        """Record one: `metric("boot", 21.5, "s")`."""
        ...


@pytest.fixture
def metric(request: pytest.FixtureRequest) -> Metrics:
    """Record a measured figure of the case."""
    notes: Notes = request.node.stash[NOTES]

    def record(name: str, value: float, unit: str) -> None:
        notes.metrics.append(Metric(name=name, value=round(value, 3), unit=unit))

    return record


class Worker:
    """The hooks of a process that runs cases."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._allure = AllureResults()
        self._environment_sent = False

    def pytest_configure(self) -> None:
        """Register the hooks that change Allure's results."""
        allure_commons.plugin_manager.register(self._allure)

    def pytest_unconfigure(self) -> None:
        """Unregister the hooks of Allure's results."""
        allure_commons.plugin_manager.unregister(self._allure)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        """Start a case."""
        self._start(item)
        with _skips_for_pytest(item):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Run a case."""
        with _skips_for_pytest(item):
            return (yield)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Classify a phase of a case; after tear-down, put the case's record into the report."""
        report = yield
        sanitize_report(report)
        notes = item.stash[NOTES]
        if call.excinfo is not None:
            self._note_failure(item, notes, call.excinfo.value, call.when)
        elif call.when == "call":
            notes.phases.append(PhaseEnd(Outcome.PASSED))
        if report.failed:
            setattr(report, PHASE, str(notes.phases[-1].outcome))
        if call.when == "setup":
            name(item, _title(item))
        if call.when == "teardown":
            record = _record(item, notes, self._bench)
            note_outcome(record.outcome)
            setattr(report, RECORD, record.model_dump(mode="json"))
            self._send_environment(report)
            setattr(report, REPORTED, notes.reported)
        notes.reported = notes.reported or report.failed
        return report

    def pytest_sessionfinish(self) -> None:
        """Remove this worker's machines and networks."""
        self._bench.close()

    def _send_environment(self, report: pytest.TestReport) -> None:
        """Take the environment where the cases run, once the worker is connected."""
        if not self._bench.is_connected or self._environment_sent:
            return
        with suppress(HarnessError):  # the connection was lost: the next case tries again
            environment = environment_of(self._bench.context, self._bench.hypervisor, {})
            setattr(report, ENVIRONMENT, environment.model_dump(mode="json"))
            self._environment_sent = True

    def _start(self, item: pytest.Item) -> None:
        case = case_of(item.nodeid).rpartition("::")[2]
        self._bench.live.case(str(target_of(item) or ""), case)
        notes = item.stash[NOTES] = Notes()
        for log in self._bench.context.workspace.glob("*/console.log"):
            notes.console_marks[str(log)] = log.stat().st_size
        label(item)

    def _note_failure(
        self, item: pytest.Item, notes: Notes, error: BaseException, phase: str
    ) -> None:
        bench = self._bench
        end = _end(error, phase)
        target = target_of(item)
        if target is not None:
            end = with_known_issues(end, feature_of(item), target.profile.known_issues)
        collector = bench.collector
        end = replace(end, reason=collector.redact(end.reason))
        notes.phases.append(end)
        blocked = error.__cause__ if isinstance(error.__cause__, Blocked) else None
        earlier = blocked.evidence if blocked is not None else ()
        notes.evidence += earlier
        if end.outcome.traits.with_evidence or (end.outcome is Outcome.BLOCKED and not earlier):
            taken = self._take_evidence(item, notes, collector)
            notes.evidence += taken
            if blocked is not None and not earlier:
                # The next blocked case no longer finds the guest.
                blocked.evidence = tuple(taken)

    def _take_evidence(
        self, item: pytest.Item, notes: Notes, collector: EvidenceCollector
    ) -> list[str]:
        reports = self._bench.context.reports
        name = "".join(c if c.isalnum() or c in "-_." else "-" for c in item.nodeid)[-120:]
        folder = reports / "evidence" / name.strip("-.")
        files: list[Path] = []
        # A case that failed before it got its guests may have left them incomplete.
        for guest in item.stash.get(GUESTS, None) or self._bench.guests_present():
            since = notes.console_marks.get(str(guest.console_log), 0)
            files += collector.collect(guest, folder, console_since=since)
        _attach_to_allure(files)
        return [str(file.relative_to(reports)) for file in files]


@contextmanager
def _skips_for_pytest(item: pytest.Item) -> Iterator[None]:
    """Turn NotApplicable and Blocked into skips; a case of the blocking feature fails instead."""
    try:
        yield
    except NotApplicable as reason:
        raise pytest.skip.Exception(f"not applicable: {reason}") from reason
    except Blocked as reason:
        if reason.feature == feature_of(item):
            raise GuestFailure(reason.sentence) from reason
        raise pytest.skip.Exception(f"blocked: {reason}") from reason


def _end(error: BaseException, phase: str) -> PhaseEnd:
    if isinstance(error, pytest.skip.Exception):
        # Blocked and NotApplicable were turned into pytest's skips; they are the cause.
        return classify(error.__cause__, phase) if error.__cause__ else _plain_skip(error)
    return classify(error, phase)


def _plain_skip(error: BaseException) -> PhaseEnd:
    return PhaseEnd(Outcome.NOT_APPLICABLE, str(error) or "skipped without a reason")


def _attach_to_allure(files: list[Path]) -> None:
    for file in files:
        kind = allure.attachment_type.PNG if file.suffix == ".png" else allure.attachment_type.TEXT
        allure.attach.file(str(file), name=file.name, attachment_type=kind)


def _title(item: pytest.Item) -> str:
    """The first line of the case's docstring."""
    lines = (getattr(getattr(item, "function", None), "__doc__", None) or "").strip().splitlines()
    return lines[0] if lines else ""


def rerun_command(node: str, target: Target, context: RunContext) -> str:
    """The shell command that runs one case again with this run's choices, in the clone."""
    chosen = {
        "--guest": target.profile.id,
        "--variant": target.variant,
        "--tier": None if context.tier is Tier.STANDARD else context.tier,
        "--image": context.image,
        "--recipe": context.recipe,
        "--hypervisor": context.hypervisor,
    }
    options = [part for name, value in chosen.items() if value for part in (name, str(value))]
    return shlex.join(["pytest", node, *options])


def _record(item: pytest.Item, notes: Notes, bench: Bench) -> OutcomeRecord:
    end = worst_phase(notes.phases)
    target = target_of(item)
    case = case_record(item)
    # pytest finds a parametrized case by all that is in brackets.
    node = item.nodeid.rpartition("]")[0] + "]" if case.parameters else case.case
    return OutcomeRecord(
        **case.model_dump(),
        hypervisor=bench.uri,
        outcome=end.outcome,
        reason=end.reason,
        issue=end.issue,
        seconds=round(time.monotonic() - notes.started, 3),
        metrics=tuple(notes.metrics),
        evidence=tuple(notes.evidence),
        title=_title(item),
        rerun=rerun_command(node, target, bench.context) if target else "",
        ledger=bench.ledger.take(),
        started=notes.started_at,
    )
