"""A run as JUnit XML: what CI systems read of it, and that a guest's words stay words."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import parse

from harness.reporting.junit import write_junit
from harness.results.model import Metric, Outcome, RunRecord
from harness.text import LIMIT
from tests.unit.builders import a_run, an_outcome
from tests.unit.hostile import ACTING, MARKUP, hostile_run


def junit_of(run: RunRecord, folder: Path) -> Element:
    """The run as a CI system reads it."""
    write_junit(run, folder / "junit.xml")
    root = parse(folder / "junit.xml").getroot()
    assert root is not None
    return root


@pytest.mark.parametrize(
    ("outcome", "element"),
    [
        (Outcome.PASSED, None),
        (Outcome.FAILED, "failure"),
        (Outcome.FLAKY, "failure"),
        (Outcome.BROKEN, "error"),
        (Outcome.BLOCKED, "error"),
        (Outcome.NOT_APPLICABLE, "skipped"),
        (Outcome.KNOWN_ISSUE, "skipped"),
    ],
)
def test_each_outcome_has_its_junit_element(
    tmp_path: Path, outcome: Outcome, element: str | None
) -> None:
    case = junit_of(a_run(an_outcome(outcome, reason="so it was")), tmp_path).find(".//testcase")
    assert case is not None
    found = {child.tag: child for child in case if child.tag != "properties"}
    assert list(found) == ([element] if element else [])
    if element:
        assert found[element].get("message") == f"{outcome}: so it was"
        assert found[element].get("type") == outcome


def test_junit_has_a_suite_for_each_guest_variant_and_suite_and_counts_right(
    tmp_path: Path,
) -> None:
    run = a_run(
        an_outcome(Outcome.FAILED, "integration.exec"),
        an_outcome(),
        an_outcome(Outcome.BROKEN, guest="rhel-9"),
        an_outcome(Outcome.NOT_APPLICABLE, "integration.heartbeat"),
    )
    root = junit_of(run, tmp_path)
    counted = [
        tuple(suite.get(key) for key in ("name", "tests", "failures", "errors", "skipped"))
        for suite in root.iter("testsuite")
    ]
    assert counted == [
        ("debian-12.bios.boot", "1", "0", "0", "0"),
        ("debian-12.bios.integration", "2", "1", "0", "1"),
        ("rhel-9.bios.boot", "1", "0", "1", "0"),
    ]
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("4", "1", "1")


def test_junit_tells_a_cases_parameters_apart(tmp_path: Path) -> None:
    run = a_run(*(an_outcome(parameters=bus) for bus in ("", "ide", "nvme")))
    names = [case.get("name") for case in junit_of(run, tmp_path).iter("testcase")]
    assert names == ["test_it_boots", "test_it_boots[ide]", "test_it_boots[nvme]"]


def test_a_junit_case_carries_its_facts(tmp_path: Path) -> None:
    outcome = an_outcome(metrics=[Metric(name="boot to ready", value=14.2, unit="s")])
    case = junit_of(a_run(outcome), tmp_path).find(".//testcase")
    assert case is not None
    assert case.get("name") == "test_it_boots"
    assert case.get("classname") == "suites/boot/test_ready.py.debian-12-bios"
    facts = {p.get("name"): p.get("value") for p in case.iter("property")}
    assert facts["feature"] == "boot.ready"
    assert facts["boot to ready"] == "14.2 s"


def test_a_guest_s_words_are_words_in_junit(tmp_path: Path) -> None:
    failure = junit_of(hostile_run(), tmp_path).find(".//failure")
    assert failure is not None
    assert MARKUP in (failure.text or "")
    assert "␛[31mred" in (failure.text or "")
    assert len(failure) == 0  # no element was made of them
    written = (tmp_path / "junit.xml").read_text(encoding="utf-8")
    assert not ACTING.search(written)
    assert "<script" not in written
    assert len(written) < 6 * LIMIT
