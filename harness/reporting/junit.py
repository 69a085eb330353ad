"""A run as JUnit XML, for the CI systems that read it.

Its form suits the strictest readers. Jenkins' xUnit plugin refuses properties or a file on a case,
so the suite has them, and a case's facts are in its output. Viewers split class names at dots
into packages. GitLab and Jenkins show the files that `[[ATTACHMENT|path]]` names.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import UTC
from itertools import groupby
from pathlib import Path, PurePosixPath

from junitparser import Attr, Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from harness.reporting.phrases import headline
from harness.results.model import OutcomeRecord, RunRecord
from harness.results.outcomes import JunitResult
from harness.results.store import write_text
from harness.text import sanitize, sanitize_line

ELEMENTS = {
    JunitResult.FAILURE: Failure,
    JunitResult.ERROR: Error,
    JunitResult.SKIPPED: Skipped,
}


class JunitSuite(TestSuite):
    """The cases of one module on one variant of one guest, with the module's file."""

    file = Attr("file")


def write_junit(run: RunRecord, file: Path) -> None:
    """Write one suite for each module on each variant of each guest."""
    document = JUnitXml("guestcert")
    ordered = sorted(run.outcomes, key=_suite_of)
    for name, outcomes in groupby(ordered, key=_suite_of):
        document.add_testsuite(_suite(name, run, list(outcomes), file.parent))
    document.update_statistics()
    document._elem.attrib.pop("skipped")  # junitparser writes it; the schema forbids it on the root
    content = io.BytesIO()
    document.write(content, pretty=True)
    write_text(file, content.getvalue().decode("utf-8"))


def _suite(
    name: str, run: RunRecord, outcomes: Sequence[OutcomeRecord], folder: Path
) -> JunitSuite:
    first = outcomes[0]
    suite = JunitSuite(name)
    started = min((o.started for o in outcomes if o.started), default=run.started)
    suite.timestamp = started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    suite.file = _module(first)
    for key, value in (
        ("run", run.run),
        ("tier", str(run.tier)),
        ("selection", run.restriction),
        ("guest", first.guest),
        ("variant", first.variant),
        ("hypervisor", first.hypervisor),
        *(("certificate", headline(c)) for c in run.certificates if c.guest == first.guest),
    ):
        suite.add_property(key, value)
    for outcome in outcomes:
        suite.add_testcase(_case(outcome, folder))
    return suite


def _case(outcome: OutcomeRecord, folder: Path) -> TestCase:
    name = outcome.subject.removeprefix(f"{_module(outcome)}::")
    case = TestCase(name, classname=_class_of(outcome))
    case.time = round(outcome.seconds, 3)
    junit = outcome.outcome.traits.junit
    if junit is not None:
        message = f"{outcome.outcome}: {sanitize(outcome.reason)}"
        result = ELEMENTS[junit](message.splitlines()[0], type_=str(outcome.outcome))
        result.text = message
        case.result = [result]
    case.system_out = "\n".join(_facts(outcome, folder))
    return case


def _facts(outcome: OutcomeRecord, folder: Path) -> Iterator[str]:
    """The facts of a case, one a line, its evidence last."""
    for key, value in (
        ("title", outcome.title),
        ("feature", outcome.feature),
        ("outcome", str(outcome.outcome)),
        *((metric.name, f"{metric.value} {metric.unit}") for metric in outcome.metrics),
        ("rerun", outcome.rerun),
    ):
        if value:
            yield f"{sanitize_line(key)}: {sanitize_line(value)}"
    for path in outcome.evidence:
        yield f"[[ATTACHMENT|{_from_here(folder / path)}]]"


def _from_here(path: Path) -> Path:
    """The path relative to the working directory, as CI systems expect."""
    whole = path.absolute()
    return whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole


def _module(outcome: OutcomeRecord) -> str:
    return outcome.case.partition("::")[0]


def _suite_of(outcome: OutcomeRecord) -> str:
    parts = PurePosixPath(_module(outcome)).with_suffix("").parts
    return _dotted(outcome.guest, outcome.variant, *(part for part in parts if part != "suites"))


def _class_of(outcome: OutcomeRecord) -> str:
    """Guest, variant and feature; a case that died with its worker has no feature."""
    feature = outcome.feature or PurePosixPath(_module(outcome)).stem
    return f"{_dotted(outcome.guest, outcome.variant)}.{feature}"


def _dotted(*names: str) -> str:
    """The names joined, so that a viewer splits between them and nowhere else."""
    return ".".join(name.replace(".", "_") for name in names if name)
