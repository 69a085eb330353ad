"""What a worker tells of each case: outcome, metrics, evidence, where the time went."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.guests.evidence import EvidenceCollector
from harness.lab.bench import Bench
from harness.plugin.collection import case_of, feature_of, target_of
from harness.plugin.fixtures import BENCH, GUESTS
from harness.plugin.outcomes import PhaseEnd, classify, with_known_issues, worst
from harness.results.model import Metric, Outcome, OutcomeRecord

RECORD = "guestcert"
"""The report's attribute under which a finished case's record travels to the controller."""


@dataclass
class Notes:
    """What is gathered of one case while it runs."""

    started: float = field(default_factory=time.monotonic)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    phases: list[PhaseEnd] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    console_marks: dict[str, int] = field(default_factory=dict)


NOTES = pytest.StashKey[Notes]()


@pytest.fixture
def metric(request: pytest.FixtureRequest) -> Any:
    """Record a measured figure of the case: `metric("boot", 21.5, "s")`."""
    notes = request.node.stash[NOTES]

    def record(name: str, value: float, unit: str) -> None:
        notes.metrics.append(Metric(name=name, value=round(value, 3), unit=unit))

    return record


def begin(item: pytest.Item) -> None:
    """A case begins on this worker."""
    bench = item.config.stash[BENCH]
    item.stash[NOTES] = Notes()
    bench.live.case(str(target_of(item) or ""), case_of(item.nodeid).rpartition("::")[2])
    item.stash[NOTES].console_marks = {
        str(log): log.stat().st_size for log in bench.context.workspace.glob("*/console.log")
    }


def note_phase(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """A phase of a case ended: sort its exception, take evidence, and finish after tear-down."""
    notes = item.stash[NOTES]
    bench = item.config.stash[BENCH]
    if call.excinfo is not None:
        end = _end(call.excinfo.value, call.when or "call")
        target = target_of(item)
        if target is not None:
            end = with_known_issues(end, feature_of(item), target.profile.known_issues)
        collector = EvidenceCollector((bench.context.password,), bench.capabilities_if_connected())
        end = PhaseEnd(end.outcome, collector.redact(end.reason))
        notes.phases.append(end)
        if end.outcome in (Outcome.FAILED, Outcome.BROKEN, Outcome.KNOWN_ISSUE):
            notes.evidence += _take_evidence(item, notes, collector)
    elif call.when == "call":
        notes.phases.append(PhaseEnd(Outcome.PASSED))
    if call.when == "teardown":
        setattr(report, RECORD, _record(item, notes, bench).model_dump(mode="json"))


def _end(error: BaseException, phase: str) -> PhaseEnd:
    if isinstance(error, pytest.skip.Exception):
        # Blocked and NotApplicable were turned into pytest's skips; they are the cause.
        return classify(error.__cause__, phase) if error.__cause__ else _plain_skip(error)
    return classify(error, phase)


def _plain_skip(error: BaseException) -> PhaseEnd:
    return PhaseEnd(Outcome.NOT_APPLICABLE, str(error) or "skipped without a reason")


def _take_evidence(item: pytest.Item, notes: Notes, collector: EvidenceCollector) -> list[str]:
    reports = item.config.stash[BENCH].context.reports
    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in item.nodeid)[-120:]
    folder = reports / "evidence" / name.strip("-")
    files: list[Path] = []
    for guest in item.stash.get(GUESTS, []):
        since = notes.console_marks.get(str(guest.console_log), 0)
        files += collector.collect(guest, folder, console_since=since)
    _attach_to_allure(files)
    return [str(file.relative_to(reports)) for file in files]


def _attach_to_allure(files: list[Path]) -> None:
    import allure

    for file in files:
        kind = allure.attachment_type.PNG if file.suffix == ".png" else allure.attachment_type.TEXT
        allure.attach.file(str(file), name=file.name, attachment_type=kind)


def _record(item: pytest.Item, notes: Notes, bench: Bench) -> OutcomeRecord:
    end = worst(notes.phases)
    target = target_of(item)
    case = case_of(item.nodeid)
    function = getattr(item, "function", None)
    lines = (getattr(function, "__doc__", None) or "").strip().splitlines()
    guest = target.profile.id if target else ""
    return OutcomeRecord(
        case=case,
        feature=feature_of(item),
        guest=guest,
        variant=str(target.variant) if target else "",
        hypervisor=bench.uri,
        outcome=end.outcome,
        reason=end.reason,
        seconds=round(time.monotonic() - notes.started, 3),
        metrics=tuple(notes.metrics),
        evidence=tuple(notes.evidence),
        title=lines[0] if lines else "",
        rerun=f"pytest '{case}' --guest {guest}" + (f" --variant {target.variant}" if target else ""),
        ledger=bench.ledger.take(),
        started=notes.began,
    )
