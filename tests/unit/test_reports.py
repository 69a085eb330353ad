"""The reports of a run; and that a guest's text does no harm wherever it is shown."""

from __future__ import annotations

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from harness.features.tiers import Tier
from harness.profiles.hardware import Firmware
from harness.reporting.certificate import certificate_document, write_certificates
from harness.reporting.pages import duration, link
from harness.reporting.site import render
from harness.reporting.terminal import summary
from harness.reporting.writer import write_reports
from harness.results.model import Metric, RunRecord, Scope, Status, Untested, Verdict
from harness.results.outcomes import Outcome
from harness.results.store import RunDirectory
from harness.text import LIMIT, sanitize
from tests.unit.builders import (
    a_certificate,
    a_feature,
    a_run,
    a_verdict,
    an_outcome,
)
from tests.unit.hostile import ACTING, HOSTILE_TEXT, MARKUP, hostile_run

CATALOGUE = [a_feature("boot.ready"), a_feature("boot.pause")]


def reported(run: RunRecord, *, colour: bool = False) -> str:
    """What the terminal shows."""
    return summary(run, RunDirectory(Path("reports/one")), colour=colour)


class Page(HTMLParser):
    """The elements, attributes and words of a page, as a browser sees them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.words += " "
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words += data


def page_of(run: RunRecord) -> Page:
    return Page(render(run, CATALOGUE))


# Foreign text made safe


def test_ordinary_words_stay_as_they_are() -> None:
    words = "Grüße,\n\t안녕, 你好, 🐧: 100 % <ok> & more"
    assert sanitize(words) == words


def test_control_characters_become_signs() -> None:
    assert sanitize("\x1b[31m\x00\x07\r") == "␛[31m␀␇␍"
    assert (
        sanitize("\x7f\x9b\u202e\u2066\ud800\ufffe\u2028\u2029\u200e\u200f\u061c") == "\ufffd" * 11
    )


def test_nothing_that_acts_is_left() -> None:
    everything = "".join(map(chr, range(0x3000)))
    assert not ACTING.search(sanitize(everything, len(everything)))


def test_long_words_are_cut_and_say_so() -> None:
    assert sanitize("x" * LIMIT) == "x" * LIMIT
    assert sanitize("x" * (LIMIT + 1)) == "x" * LIMIT + " [cut]"
    assert sanitize("abcdef", 3) == "abc [cut]"


# The site


def test_the_site_shows_every_feature_case_and_certificate() -> None:
    page = page_of(
        a_run(
            an_outcome(title="It boots", metrics=[Metric(name="to ready", value=14.2, unit="s")]),
            verdicts=[a_verdict(), a_verdict(Verdict.UNTESTED, "boot.pause")],
            certificates=[a_certificate(Status.INCOMPLETE, reasons=["boot.pause is untested"])],
            selection="-k 'ready'",
        )
    )
    words = " ".join(page.words.split())
    for expected in (
        "run 20240501-220000-abcd, 1 May 2024 22:00 UTC, 2 min 5 s",
        "debian-12 on qemu:///system incomplete boot.pause is untested",
        "Title of boot.ready boot.ready What boot.ready promises. verified",
        "Title of boot.pause boot.pause What boot.pause promises. untested",
        "It boots boot.ready · test_it_boots to ready 14.2 s",
        "Only a part was run: -k 'ready'",
        "boot 1 min 30 s",
    ):
        assert expected in words


def test_the_site_loads_nothing_from_elsewhere() -> None:
    page = page_of(hostile_run())
    sources = [value for name, value in page.attributes if name in ("src", "href", "action")]
    assert sources == ["../evidence/one/console.log"]
    assert "link" not in page.elements


def test_a_guest_s_words_are_words_in_the_site() -> None:
    page = page_of(hostile_run())
    assert MARKUP in page.words
    assert page.elements.count("script") == 1  # the page's own
    assert "img" not in page.elements
    assert not [name for name, _ in page.attributes if name.startswith("on")]


def test_a_guest_s_words_are_no_template_and_do_not_act_in_the_site() -> None:
    html = render(hostile_run(), CATALOGUE)
    assert "{{ 7 * 7 }}" in html
    assert "␛[31mred" in html
    assert not ACTING.search(html)


def test_the_site_stays_small_whatever_a_guest_says() -> None:
    harmful, plain = render(hostile_run(), CATALOGUE), render(a_run(), [])
    assert len(harmful) < len(plain) + 8 * LIMIT


def test_a_picture_is_shown_and_a_file_is_linked() -> None:
    assert link("evidence/a/screen.png") == (
        '<a class="shot" href="../evidence/a/screen.png">'
        '<img loading="lazy" src="../evidence/a/screen.png" alt="screen.png"></a>'
    )
    assert link("evidence/a/console.log") == '<a href="../evidence/a/console.log">console.log</a>'


@pytest.mark.parametrize("path", ["/etc/passwd", "evidence/../../passwd"])
def test_a_path_out_of_the_run_directory_is_no_link(path: str) -> None:
    assert link(path) == "passwd"


def test_a_path_can_not_break_out_of_its_link() -> None:
    page = Page(link('evidence/"><script>x.png'))
    assert page.elements == ["a", "img"]


def test_durations_are_told_as_people_do() -> None:
    assert [duration(s) for s in (0, 59.94, 60, 3725)] == [
        "0.0 s",
        "59.9 s",
        "1 min 0 s",
        "62 min 5 s",
    ]


# The terminal


def test_the_terminal_tells_verdicts_failures_certificates_and_where_to_read_on() -> None:
    text = reported(
        a_run(
            an_outcome(Outcome.FAILED, reason="no login", evidence=["evidence/one/console.log"]),
            an_outcome(Outcome.PASSED, "boot.pause", case="suites/test_pause.py::test_fine"),
            verdicts=[a_verdict(Verdict.VIOLATED), a_verdict(Verdict.VERIFIED, "boot.pause")],
            certificates=[a_certificate(Status.NOT_CERTIFIED, reasons=["it is violated"])],
            selection="-k 'ready'",
        )
    )
    for expected in (
        "failed: boot.ready: suites/boot/test_ready.py::test_it_boots",
        "  no login",
        "  evidence: reports/one/evidence/one",
        "  rerun:    pytest 'suites/boot/test_ready.py::test_it_boots' --guest debian-12",
        "time: 125 s; by phase: boot 90 s, harness 30 s",
        "debian-12 on qemu:///system: not certified",
        "  it is violated",
        "only a part was run: -k 'ready'",
        "report: reports/one/site/index.html",
    ):
        assert expected in text
    assert re.search(r"boot\.ready +violated", text)
    assert re.search(r"boot\.pause +verified", text)
    assert "test_fine" not in text


def test_no_feature_is_cut_where_there_are_many_guests() -> None:
    longest = (Verdict.OBSERVED_WORKING, Verdict.OBSERVED_FAILING, Verdict.NOT_APPLICABLE)
    verdicts = [
        a_verdict(verdict, feature, variant=variant, guest=guest)
        for guest in ("debian-12", "windows-server-2003-r2-sp2")
        for feature in ("isolation.hypervisor_interface", "integration.services_lifecycle")
        for variant, verdict in zip(Firmware, longest, strict=True)
    ]
    text = reported(a_run(verdicts=verdicts))
    lines = [line for line in text.splitlines() if line.startswith(("isolation", "integration"))]
    assert len(lines) == 4
    for line in lines:
        assert line.split()[1:] == [str(verdict) for verdict in longest]


def test_a_guest_s_words_do_not_act_on_the_terminal() -> None:
    text = reported(hostile_run())
    assert not ACTING.search(text)
    assert "␛[31mred" in text
    assert len(text) < 2 * LIMIT


def test_in_colour_only_our_own_escapes_reach_the_terminal() -> None:
    text = reported(hostile_run(), colour=True)
    assert "\x1b[" in text
    assert not ACTING.search(re.sub(r"\x1b\[[0-9;]*m", "", text))
    assert "\x1b[31mred" not in text


def test_a_guest_s_brackets_are_no_styles() -> None:
    text = reported(a_run(an_outcome(Outcome.FAILED, reason="[bold]no[/bold] [/] login")))
    assert "[bold]no[/bold] [/] login" in text


# What a certificate covers, and what was not tested

SCOPE = Scope(tier=Tier.STANDARD, variants=("bios", "uefi"), required=21, verified=20)
COVERED = "tier standard: 20 of 21 required features verified; variants bios, uefi"


def test_every_report_says_what_a_certificate_covers(tmp_path: Path) -> None:
    run = a_run(an_outcome(), verdicts=[a_verdict()], certificates=[a_certificate(scope=SCOPE)])
    directory = RunDirectory(tmp_path)
    write_reports(run, directory, CATALOGUE[:1])
    assert f"debian-12 on qemu:///system: certified, {COVERED}" in reported(run)
    assert f"certified {COVERED}" in " ".join(Page(render(run, CATALOGUE[:1])).words.split())
    certificate = json.loads(directory.certificate("debian-12").read_text(encoding="utf-8"))
    assert certificate["scope"] == {
        "tier": "standard",
        "variants": ["bios", "uefi"],
        "required": 21,
        "verified": 20,
    }
    assert f'value="certified ({COVERED})"' in directory.junit.read_text(encoding="utf-8")
    properties = directory.allure_results / "environment.properties"
    assert f"debian-12.certificate=certified ({COVERED})" in properties.read_text("utf-8")


def a_run_of_two_variants() -> RunRecord:
    bios, uefi = Firmware.BIOS, Firmware.UEFI
    elsewhere: dict[str, Any] = {"untested": Untested.OTHER_VARIANT, "tested_on": ("bios",)}
    later: dict[str, Any] = {"untested": Untested.LATER_TIER, "tier": Tier.FULL}
    untested = Verdict.UNTESTED
    return a_run(
        verdicts=[
            a_verdict(),
            a_verdict(untested, variant=uefi, **elsewhere),
            a_verdict(untested, "boot.pause", variant=bios, **later),
            a_verdict(untested, "boot.pause", variant=uefi, **later),
            a_verdict(untested, "boot.reset", variant=bios, untested=Untested.NOT_RUN),
            a_verdict(untested, "boot.reset", variant=uefi, untested=Untested.NOT_RUN),
        ]
    )


def test_the_terminal_says_where_a_feature_was_tested_instead() -> None:
    text = reported(a_run_of_two_variants())
    assert re.search(r"boot\.ready +verified +on bios *\n", text)
    assert re.search(r"boot\.reset +untested +untested *\n", text)
    assert "boot.pause" not in text
    assert "1 more claimed features wait for tier full" in text


def test_the_site_says_where_a_feature_was_tested_instead() -> None:
    catalogue = [*CATALOGUE, a_feature("boot.reset")]
    page = Page(render(a_run_of_two_variants(), catalogue))
    words = " ".join(page.words.split())
    assert "What boot.ready promises. verified on bios" in words
    assert "What boot.reset promises. untested untested" in words
    assert "What boot.pause promises." not in words
    assert "1 more claimed features are not tested in tier standard Title of boot.pause" in words


# The certificate


def test_a_certificate_stands_alone(tmp_path: Path) -> None:
    run = a_run(
        an_outcome(),
        an_outcome(guest="rhel-9"),
        verdicts=[a_verdict()],
        certificates=[a_certificate(), a_certificate(Status.INCOMPLETE, "rhel-9")],
    )
    directory = RunDirectory(tmp_path)
    write_certificates(run, directory)
    written = json.loads(directory.certificate("debian-12").read_text(encoding="utf-8"))
    assert written["schema"] == "guestcert/certificate/1"
    assert (written["run"], written["guest"]) == (run.run, "debian-12")
    assert written["status"] == "certified"
    assert [v["feature"] for v in written["verdicts"]] == ["boot.ready"]
    assert written["outcomes"] == 1
    assert written["environment"]["hypervisor_uri"] == "qemu:///system"
    assert directory.certificate("rhel-9").exists()


def test_a_certificate_rests_on_its_guest_s_outcomes() -> None:
    certificate = a_certificate()

    def digest(*outcomes: Outcome, guest: str = "debian-12") -> object:
        ended = [an_outcome(outcome, guest=guest) for outcome in outcomes]
        return certificate_document(a_run(*ended), certificate)["outcomes_sha256"]

    assert digest(Outcome.PASSED) == digest(Outcome.PASSED)
    assert digest(Outcome.PASSED) != digest(Outcome.FAILED)
    assert digest(Outcome.FAILED, guest="rhel-9") == digest()
    assert digest() == hashlib.sha256(b"[]").hexdigest()


def test_a_guest_s_words_do_not_act_where_a_certificate_is_shown(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    write_certificates(hostile_run(), directory)
    written = directory.certificate("debian-12").read_text(encoding="utf-8")
    assert not ACTING.search(written)
    assert json.loads(written)["reasons"] == [sanitize(HOSTILE_TEXT, None)]


# All of it


def test_all_reports_of_a_run_are_written(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "one")
    write_reports(hostile_run(), directory, CATALOGUE)
    written = sorted(
        str(path.relative_to(directory.path))
        for path in directory.path.rglob("*")
        if path.is_file()
    )
    assert written == [
        "allure-results/categories.json",
        "allure-results/environment.properties",
        "certificate-debian-12.json",
        "junit.xml",
        "run.json",
        "site/index.html",
    ]
