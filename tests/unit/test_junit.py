"""A run as JUnit XML: what CI systems read of it, and that a guest's words stay words."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
import xmlschema
from defusedxml.ElementTree import parse

from harness.reporting.junit import write_junit
from harness.results.model import Metric, RunRecord
from harness.results.outcomes import Outcome
from harness.text import LIMIT
from tests.unit.builders import a_certificate, a_run, an_outcome
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
    found = {child.tag: child for child in case if child.tag != "system-out"}
    assert list(found) == ([element] if element else [])
    if element:
        assert found[element].get("message") == f"{outcome}: so it was"
        assert found[element].get("type") == outcome


def test_junit_has_a_suite_for_each_guest_variant_and_module_and_counts_right(
    tmp_path: Path,
) -> None:
    run = a_run(
        an_outcome(Outcome.FAILED, "integration.exec", case="suites/integration/test_a.py::test_a"),
        an_outcome(),
        an_outcome(Outcome.BROKEN, guest="rhel-9"),
        an_outcome(
            Outcome.NOT_APPLICABLE,
            "integration.heartbeat",
            case="suites/integration/test_a.py::test_b",
        ),
    )
    root = junit_of(run, tmp_path)
    counted = [
        tuple(suite.get(key) for key in ("name", "tests", "failures", "errors", "skipped"))
        for suite in root.iter("testsuite")
    ]
    assert counted == [
        ("debian-12.bios.boot.test_ready", "1", "0", "0", "0"),
        ("debian-12.bios.integration.test_a", "2", "1", "0", "1"),
        ("rhel-9.bios.boot.test_ready", "1", "0", "1", "0"),
    ]
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("4", "1", "1")
    files = [suite.get("file") for suite in root.iter("testsuite")]
    assert files == [f"suites/{m}.py" for m in ("boot/test_ready", "integration/test_a",
                                                "boot/test_ready")]  # fmt: skip


def test_junit_tells_a_cases_parameters_apart(tmp_path: Path) -> None:
    run = a_run(*(an_outcome(parameters=bus) for bus in ("", "ide", "nvme")))
    names = [case.get("name") for case in junit_of(run, tmp_path).iter("testcase")]
    assert names == ["test_it_boots", "test_it_boots[ide]", "test_it_boots[nvme]"]


def test_a_junit_case_carries_its_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = an_outcome(
        title="It boots",
        metrics=[Metric(name="boot to ready", value=14.2, unit="s")],
        evidence=["evidence/one/console.log", "evidence/one/screen.png"],
    )
    case = junit_of(a_run(outcome), tmp_path / "reports" / "one").find(".//testcase")
    assert case is not None
    assert case.get("name") == "test_it_boots"
    assert case.get("classname") == "debian-12.bios.boot.ready"
    assert (case.findtext("system-out") or "").splitlines() == [
        "title: It boots",
        "feature: boot.ready",
        "outcome: passed",
        "boot to ready: 14.2 s",
        f"rerun: {outcome.rerun}",
        "[[ATTACHMENT|reports/one/evidence/one/console.log]]",
        "[[ATTACHMENT|reports/one/evidence/one/screen.png]]",
    ]


@pytest.mark.parametrize(
    ("guest", "feature", "name"),
    [
        ("ubuntu-24.04", "boot.ready", "ubuntu-24_04.bios.boot.ready"),
        ("ubuntu-24.04", "boot.firmware.bios", "ubuntu-24_04.bios.boot.firmware.bios"),
        ("debian-12", "", "debian-12.bios.test_ready"),
    ],
)
def test_viewers_split_a_class_between_guest_variant_and_feature(
    tmp_path: Path, guest: str, feature: str, name: str
) -> None:
    root = junit_of(a_run(an_outcome(feature=feature, guest=guest)), tmp_path)
    (case,), (suite,) = root.iter("testcase"), root.iter("testsuite")
    assert case.get("classname") == name
    assert (suite.get("name") or "").split(".")[:2] == name.split(".")[:2]


def test_a_suite_has_the_moment_of_its_first_case(tmp_path: Path) -> None:
    zone = timezone(timedelta(hours=2))
    moments = [datetime(2024, 5, 1, 22, minute, 7, 99, tzinfo=zone) for minute in (30, 10, 20)]
    outcomes = [an_outcome().model_copy(update={"started": moment}) for moment in moments]
    (suite,) = junit_of(a_run(*outcomes), tmp_path).iter("testsuite")
    assert suite.get("timestamp") == "2024-05-01T20:10:07"


SCHEMA = xmlschema.XMLSchema(Path(__file__).resolve().parents[1] / "data" / "junit.xsd")


def every_kind_of_run() -> RunRecord:
    ended = [an_outcome(outcome, reason="so\nit was") for outcome in Outcome]
    odd = an_outcome(
        Outcome.FAILED,
        guest="ubuntu-24.04",
        reason=" \n",
        title="It [boots]",
        seconds=123456.789123,
        parameters="1x2",
        metrics=[Metric(name="a", value=1e-9, unit="s")],
        evidence=["evidence/a/b.png"],
    )
    lost = an_outcome(Outcome.BROKEN, "", reason="the worker process died")
    return a_run(*ended, odd, lost, certificates=[a_certificate()], selection="-k 'a'")


@pytest.mark.parametrize("run", [a_run(), every_kind_of_run(), hostile_run()])
def test_junit_is_what_strict_readers_take(tmp_path: Path, run: RunRecord) -> None:
    write_junit(run, tmp_path / "junit.xml")
    problems = [error.reason for error in SCHEMA.iter_errors(tmp_path / "junit.xml")]
    assert problems == []


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        ("<testsuites ", '<testsuites skipped="0" '),
        ("<testcase ", '<testcase file="a.py" '),
        ("<system-out>", '<properties><property name="a" value="b"/></properties><system-out>'),
        ('time="1.5"', 'time="1.5000"'),
        ("22:00:00", "22:00:00+00:00"),
        ('classname="debian-12', 'classname="suites/boot/test_ready.py.debian-12'),
    ],
)
def test_what_strict_readers_refuse_is_seen(tmp_path: Path, part: str, instead: str) -> None:
    write_junit(a_run(an_outcome()), tmp_path / "junit.xml")
    text = (tmp_path / "junit.xml").read_text(encoding="utf-8")
    assert part in text
    assert SCHEMA.is_valid(text)
    assert not SCHEMA.is_valid(text.replace(part, instead))


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
