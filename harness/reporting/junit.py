"""A run as JUnit XML, for the CI systems that read it."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from junitparser import Error, Failure, JUnitXml, Properties, Property, Skipped, TestCase, TestSuite

from harness.results.model import Outcome, OutcomeRecord, RunRecord
from harness.text import sanitize

RESULTS = {
    Outcome.FAILED: Failure,
    Outcome.FLAKY: Failure,
    Outcome.BROKEN: Error,
    Outcome.BLOCKED: Error,  # a CI must not show green where nothing was told
    Outcome.NOT_APPLICABLE: Skipped,
    Outcome.KNOWN_ISSUE: Skipped,
}


def write_junit(run: RunRecord, file: Path) -> None:
    """Write one suite for each variant of each guest and each of boot, isolation, integration."""
    document = JUnitXml("guestcert")
    ordered = sorted(run.outcomes, key=_suite_of)
    for name, outcomes in groupby(ordered, key=_suite_of):
        suite = TestSuite(name)
        suite.timestamp = run.started.isoformat()
        for outcome in outcomes:
            suite.add_testcase(_case(outcome))
        document.add_testsuite(suite)
    document.update_statistics()
    file.parent.mkdir(parents=True, exist_ok=True)
    document.write(str(file), pretty=True)


def _suite_of(outcome: OutcomeRecord) -> str:
    return f"{outcome.guest}.{outcome.variant}.{outcome.feature.partition('.')[0]}"


def _case(outcome: OutcomeRecord) -> TestCase:
    module, _, _ = outcome.case.rpartition("::")
    name = outcome.subject.removeprefix(f"{module}::")
    case = TestCase(name, classname=f"{module}.{outcome.guest}-{outcome.variant}")
    case.time = outcome.seconds
    kind = RESULTS.get(outcome.outcome)
    if kind is not None:
        message = f"{outcome.outcome}: {sanitize(outcome.reason)}"
        result = kind(message.splitlines()[0], type_=str(outcome.outcome))
        result.text = message
        case.result = [result]
    properties = Properties()
    for key, value in (
        ("feature", outcome.feature),
        ("guest", outcome.guest),
        ("variant", outcome.variant),
        ("hypervisor", outcome.hypervisor),
        ("outcome", str(outcome.outcome)),
        *((metric.name, f"{metric.value} {metric.unit}") for metric in outcome.metrics),
    ):
        properties.add_property(Property(key, value))
    case.append(properties)
    return case
