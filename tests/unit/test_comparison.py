"""The changes between two runs, and the regression report about them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.errors import UsageError
from harness.profiles.hardware import Firmware
from harness.reporting.regression import ComparisonFormat
from harness.reporting.regression import render_comparison as render
from harness.results.comparison import ChangeKind, Comparison, compare
from harness.results.model import Metric, RunRecord, Status, Verdict
from harness.results.outcomes import Outcome
from harness.results.store import RunDirectory, write_run
from tests.unit.builders import a_certificate, a_run, a_verdict, an_environment, an_outcome

CASE = "suites/boot/test_ready.py::test_it_boots"
SLOW = "boot.ready/it_boots"


def run_with(outcome: Outcome, verdict: Verdict, reason: str = "") -> RunRecord:
    return a_run(an_outcome(outcome, reason=reason), verdicts=[a_verdict(verdict)])


WORKING = run_with(Outcome.PASSED, Verdict.VERIFIED)
FAILING = run_with(Outcome.FAILED, Verdict.VIOLATED, "no login")
BROKEN = run_with(Outcome.BROKEN, Verdict.INCONCLUSIVE, "libvirt went away")
EXCUSED = run_with(Outcome.KNOWN_ISSUE, Verdict.VERIFIED)
UNTESTED = run_with(Outcome.NOT_APPLICABLE, Verdict.UNTESTED)
UNCLAIMED = a_run(an_outcome(), verdicts=[a_verdict(Verdict.OBSERVED_WORKING, required=False)])
UNCLAIMED_UNTESTED = a_run(verdicts=[a_verdict(Verdict.UNTESTED, required=False)])
HEAD = Path("reports/head")


@pytest.mark.parametrize(
    ("base", "head", "change", "status"),
    [
        (WORKING, FAILING, ChangeKind.REGRESSION, 1),
        (WORKING, BROKEN, ChangeKind.IN_DOUBT, 3),
        (FAILING, BROKEN, ChangeKind.IN_DOUBT, 3),
        (BROKEN, FAILING, ChangeKind.FAILING, 0),
        (FAILING, WORKING, ChangeKind.REPAIRED, 0),
        (BROKEN, WORKING, ChangeKind.REPAIRED, 0),
        (WORKING, UNTESTED, ChangeKind.LOST, 3),
        (BROKEN, UNTESTED, ChangeKind.LOST, 3),
        (UNCLAIMED, UNCLAIMED_UNTESTED, ChangeKind.GONE, 0),
        (UNTESTED, FAILING, ChangeKind.NEW, 0),
    ],
)
def test_a_feature_and_its_case_changed(
    base: RunRecord, head: RunRecord, change: ChangeKind, status: int
) -> None:
    comparison = compare(base, head)
    assert [moved.change for moved in comparison.features] == [change]
    assert {moved.change for moved in comparison.cases} <= {change}
    assert comparison.exit_code == status


@pytest.mark.parametrize("run", [WORKING, FAILING, BROKEN])
def test_what_stands_as_it_did_is_no_change(run: RunRecord) -> None:
    comparison = compare(run, run)
    assert comparison.features == comparison.cases == ()
    assert comparison.unchanged == 1
    assert comparison.exit_code == 0


def test_a_known_issue_is_no_regression_but_what_becomes_of_it_is() -> None:
    excused = compare(WORKING, EXCUSED)
    assert [moved.change for moved in excused.cases] == [ChangeKind.EXCUSED]
    assert excused.exit_code == 0
    assert [moved.change for moved in compare(EXCUSED, FAILING).cases] == [ChangeKind.REGRESSION]


def test_what_nobody_claims_may_stop_working() -> None:
    exceeding = run_with(Outcome.PASSED, Verdict.EXCEEDS_CLAIM)
    as_claimed = run_with(Outcome.FAILED, Verdict.AS_CLAIMED)
    comparison = compare(exceeding, as_claimed)
    assert {moved.change for moved in (*comparison.features, *comparison.cases)} == {
        ChangeKind.EXCUSED
    }
    assert comparison.exit_code == 0


def test_the_parameter_that_failed_is_told() -> None:
    verdicts = [a_verdict()]
    base, head = (
        a_run(an_outcome(parameters="ide"), an_outcome(end, parameters="nvme"), verdicts=verdicts)
        for end in (Outcome.PASSED, Outcome.FAILED)
    )
    (moved,) = compare(base, head).cases
    assert moved.subject == "boot.ready/it_boots[nvme]"


def test_a_case_that_is_there_twice_counts_by_the_worst() -> None:
    verdicts = [a_verdict()]
    base = a_run(an_outcome(), an_outcome(), verdicts=verdicts)
    head = a_run(an_outcome(), an_outcome(Outcome.FAILED, reason="4 of 8"), verdicts=verdicts)
    (moved,) = compare(base, head).cases
    assert (moved.before, moved.after, moved.reason) == ("passed", "failed", "4 of 8")


def test_a_new_feature_is_told_once_and_not_for_each_of_its_cases() -> None:
    cases = [an_outcome(case=f"suites/boot/test_ready.py::test_{n}") for n in range(3)]
    head = a_run(*cases, verdicts=[a_verdict()])
    comparison = compare(a_run(verdicts=[a_verdict(Verdict.UNTESTED)]), head)
    assert [moved.subject for moved in comparison.features] == ["boot.ready"]
    assert comparison.cases == ()


def test_a_new_case_of_an_old_feature_is_told() -> None:
    head = a_run(
        an_outcome(),
        an_outcome(case="suites/boot/test_ready.py::test_new"),
        verdicts=[a_verdict()],
    )
    (moved,) = compare(WORKING, head).cases
    assert (moved.subject, moved.change) == ("boot.ready/new", ChangeKind.NEW)


def test_guests_that_only_one_run_has_are_named_and_not_compared() -> None:
    base = a_run(verdicts=[a_verdict(), a_verdict(guest="debian-11")])
    head = a_run(verdicts=[a_verdict(), a_verdict(variant=Firmware.UEFI)])
    comparison = compare(base, head)
    assert comparison.only_base == (("debian-11", "bios"),)
    assert comparison.only_head == (("debian-12", "uefi"),)
    assert comparison.features == ()


def test_what_was_required_on_a_variant_that_is_gone_is_lost() -> None:
    here, there = a_verdict(), a_verdict(feature="boot.firmware.uefi", variant=Firmware.UEFI)
    comparison = compare(a_run(verdicts=[here, there]), a_run(verdicts=[here]))
    (lost,) = comparison.features
    assert (lost.variant, lost.subject, lost.change) == (
        "uefi",
        "boot.firmware.uefi",
        ChangeKind.LOST,
    )
    assert comparison.exit_code == 3
    elsewhere = a_verdict(guest="debian-11")
    named = compare(a_run(verdicts=[here, elsewhere]), a_run(verdicts=[here]))
    assert (named.features, named.exit_code) == ((), 0), "a guest that was not asked for is named"


def test_runs_that_share_nothing_say_nothing() -> None:
    comparison = compare(WORKING, a_run(verdicts=[a_verdict(guest="debian-11")]))
    assert comparison.exit_code == 3


# Figures and the environment


def timed(*seconds: float, accelerator: str = "kvm", **facts: str) -> RunRecord:
    environment = an_environment(**facts).model_copy(update={"accelerator": accelerator})
    outcomes = [
        an_outcome(metrics=[Metric(name="boot to ready", value=value, unit="s")])
        for value in seconds
    ]
    return a_run(*outcomes, verdicts=[a_verdict()], environment=environment)


@pytest.mark.parametrize(
    ("before", "after", "reported"),
    [
        ([20], [30], [(20, 30)]),
        ([20], [24], []),
        ([20], [14], [(20, 14)]),
        ([0], [1], [(0, 1)]),
        ([20], [25], []),  # by just as much as is noise
        ([20], [25.01], [(20, 25.01)]),
        ([20], [15], []),
    ],
)
def test_a_figure_is_told_where_it_changed_notably(
    before: Sequence[float], after: Sequence[float], reported: list[tuple[float, float]]
) -> None:
    comparison = compare(timed(*before), timed(*after))
    assert [(figure.before, figure.after) for figure in comparison.figures] == reported
    assert comparison.exit_code == 0


def test_the_mean_counts_where_a_case_has_a_figure_several_times() -> None:
    (figure,) = compare(timed(10, 20), timed(30, 40)).figures
    assert (figure.before, figure.after, figure.unit) == (15, 35, "s")


def test_times_of_another_host_are_not_compared() -> None:
    comparison = compare(timed(20), timed(90, accelerator="tcg"))
    assert comparison.figures == ()
    assert comparison.incomparable == ("accelerator",)
    assert "not compared: another accelerator" in render(comparison, ComparisonFormat.TEXT, HEAD)


def test_what_may_explain_a_change_is_told() -> None:
    base, head = timed(20, kernel="6.1", microcode="1"), timed(20, kernel="6.12", microcode="1")
    assert compare(base, head).environment == (("host.kernel", "6.1", "6.12"),)


# The report

HOSTILE = "\x1b[31m <script>alert(1)</script> | [a](javascript:b) `x` ``y`` @you\n# heading"


def hostile() -> Comparison:
    return compare(WORKING, run_with(Outcome.FAILED, Verdict.VIOLATED, HOSTILE))


def test_the_text_tells_certificates_and_regressions_first() -> None:
    base, head = (
        a_run(
            an_outcome(
                outcome, reason=reason, title="It boots", evidence=["evidence/a/console.log"]
            ),
            verdicts=[a_verdict(verdict, reason=reason)],
            certificates=[a_certificate(status), a_certificate(guest="debian-11")],
        )
        for outcome, verdict, status, reason in (
            (Outcome.PASSED, Verdict.VERIFIED, Status.CERTIFIED, ""),
            (Outcome.FAILED, Verdict.VIOLATED, Status.NOT_CERTIFIED, "no login"),
        )
    )
    lines = render(compare(base, head), ComparisonFormat.TEXT, HEAD).splitlines()
    assert lines[1:9] == [
        "debian-12: certified -> not certified",
        "debian-11: certified, as before",
        "",
        "Regressions",
        "  debian-12 bios boot.ready: verified -> violated",
        f"  debian-12 bios {SLOW} (It boots): passed -> failed: no login",
        "      evidence: reports/head/evidence/a",
        f"      rerun: pytest '{CASE}' --guest debian-12 --variant bios",
    ]


def test_a_feature_whose_cases_tell_nothing_tells_its_reason_itself() -> None:
    head = a_run(verdicts=[a_verdict(Verdict.VIOLATED, reason="no login")])
    text = render(compare(a_run(verdicts=[a_verdict()]), head), ComparisonFormat.TEXT, HEAD)
    assert "boot.ready: verified -> violated: no login\n" in text


@pytest.mark.parametrize("form", [ComparisonFormat.TEXT, ComparisonFormat.MARKDOWN])
def test_what_one_side_alone_has_is_told_though_both_bear_one_id(form: ComparisonFormat) -> None:
    both, alone = a_verdict(), a_verdict(guest="debian-13")
    gone = render(compare(a_run(verdicts=[both, alone]), a_run(verdicts=[both])), form, HEAD)
    assert "Only in the base, " in gone
    assert "debian-13" in gone.partition("Only in the base")[2]
    new = render(compare(a_run(verdicts=[both]), a_run(verdicts=[both, alone])), form, HEAD)
    assert "debian-13" in new.partition("Only in the head")[2]


def test_a_guests_words_do_no_harm_in_it() -> None:
    text = render(hostile(), ComparisonFormat.TEXT, HEAD)
    assert "\x1b" not in text
    assert "\n# heading" not in text
    markdown = render(hostile(), ComparisonFormat.MARKDOWN, HEAD)
    assert (
        "``` ␛[31m <script>alert(1)</script> | [a](javascript:b) `x` ``y`` @you # heading ```"
        in markdown
    )
    outside = re.sub(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "", markdown)
    assert not re.search(r"[<\[@|]|heading", outside)


def test_the_markdown_can_be_read_as_it_is() -> None:
    lines = render(compare(WORKING, FAILING), ComparisonFormat.MARKDOWN, HEAD).splitlines()
    assert lines[0] == "# `20240501-220000-abcd` -> `20240501-220000-abcd`"
    assert f"- `debian-12` `bios` `{SLOW}`: `passed` -> `failed`: `no login`" in lines


def test_as_json_it_holds_everything() -> None:
    document = json.loads(render(compare(timed(20), timed(30)), ComparisonFormat.JSON, HEAD))
    assert document["schema"] == "guestcert/comparison/1"
    assert document["figures"][0]["after"] == 30
    assert document["unchanged"] == 1


# The command


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    for name, run in {"20240501-a": WORKING, "20240502-b": FAILING}.items():
        directory = RunDirectory(tmp_path / name)
        directory.create()
        write_run(run.model_copy(update={"run": name}), directory)
    return tmp_path


def test_the_command_ends_with_1_where_something_regressed(reports: Path) -> None:
    where = ["--reports", str(reports)]
    done = CliRunner().invoke(app, ["compare", "20240501-a", *where])
    assert done.exit_code == 1, done.output
    assert done.output.startswith("20240501-a -> 20240502-b\n"), "the latest is the default"
    for name in ("", "run.json"):
        files = [str(reports / "20240502-b" / name), str(reports / "20240501-a" / name)]
        done = CliRunner().invoke(app, ["compare", *files])
        assert (done.exit_code, done.output[:24]) == (0, "20240502-b -> 20240501-a")


def test_a_run_is_not_held_against_itself(reports: Path, tmp_path: Path) -> None:
    where = ["--reports", str(reports)]
    copy = tmp_path / "copy"
    shutil.copytree(reports / "20240502-b", copy)
    for base in ("latest", "20240502-b", str(copy), str(copy / "run.json")):
        done = CliRunner().invoke(app, ["compare", base, *where])
        assert isinstance(done.exception, UsageError), base
        assert "are the same run, 20240502-b" in done.exception.sentence


def test_two_runs_of_one_id_are_compared(reports: Path) -> None:
    for name, run in {"monday": WORKING, "tuesday": FAILING}.items():
        write_run(run.model_copy(update={"run": "nightly"}), RunDirectory(reports / name))
    folders = [str(reports / name) for name in ("monday", "tuesday")]
    assert CliRunner().invoke(app, ["compare", *folders]).exit_code == 1


def test_the_command_writes_into_a_file(reports: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.md"
    asked = ["compare", "20240501-a", "--reports", str(reports), "--format", "markdown"]
    assert CliRunner().invoke(app, [*asked, "-o", str(file)]).exit_code == 1
    assert file.read_text(encoding="utf-8").startswith("# `20240501-a` -> `20240502-b`\n")


def test_a_run_that_is_not_there_is_told_with_the_nearest(reports: Path) -> None:
    done = CliRunner().invoke(app, ["compare", "20240501-c", "--reports", str(reports)])
    assert isinstance(done.exception, UsageError)
    assert "there is no run '20240501-c'" in done.exception.sentence
    assert done.exception.remedy == "20240501-a"
