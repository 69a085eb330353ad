"""The matrix of claims: each cell with its sources, in every format."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from html.parser import HTMLParser

from harness.profiles.claims import HypervisorKind
from harness.profiles.model import Profile
from harness.reporting.claims_formats import MatrixFormat
from harness.reporting.claims_formats import render_matrix as render
from harness.reporting.claims_matrix import ClaimsTable, ClaimSummary, claims_tables
from tests.unit.builders import a_feature, a_profile

TODAY = date(2024, 5, 1)
CATALOGUE = [a_feature(f) for f in ("boot.ready", "boot.pause", "boot.reset", "integration.exec")]
SOURCES = {"vendor": "https://example.org/vendor?a=1&b=2", "other": "https://example.org/other"}


def claim(feature: str, summary: str, source: str = "vendor", **more: object) -> dict[str, object]:
    return {"on": "hyperv", "features": [feature], "claim": summary, "source": source, **more}


def guests() -> list[Profile]:
    claims = [
        claim("boot.ready", "supported"),
        claim("boot.pause", "supported", when={"package": "<b>daemons</b>", "note": "a | b"}),
        claim("boot.reset", "supported"),
        claim("boot.reset", "unsupported", "other"),
    ]
    return [
        a_profile("debian-12", claims=claims, sources=SOURCES),
        a_profile("rhel-9", unsupported=["boot.ready"], on=HypervisorKind.HYPERV),
        a_profile("sles-15", supported=["integration.exec"]),
    ]


def tables() -> list[ClaimsTable]:
    return claims_tables(guests(), CATALOGUE)


def test_each_hypervisor_has_a_table_of_what_is_claimed_there() -> None:
    hyperv, qemu = tables()
    assert [feature.id for feature in hyperv.features] == ["boot.ready", "boot.pause", "boot.reset"]
    assert [row.profile.id for row in hyperv.rows] == ["debian-12", "rhel-9"]
    assert [[cell.summary for cell in row.cells] for row in hyperv.rows] == [
        [ClaimSummary.SUPPORTED, ClaimSummary.CONDITIONAL, ClaimSummary.DISPUTED],
        [ClaimSummary.UNSUPPORTED, ClaimSummary.NOTHING, ClaimSummary.NOTHING],
    ]
    assert [row.profile.id for row in qemu.rows] == ["sles-15"]


def test_every_claim_is_a_record_with_its_source() -> None:
    records = json.loads(render(tables(), MatrixFormat.JSON, TODAY))
    assert len(records) == 6
    assert records[1] == {
        "guest": "debian-12",
        "hypervisor": "hyperv",
        "feature": "boot.pause",
        "claim": "supported",
        "condition": "package <b>daemons</b>; a | b",
        "source": SOURCES["vendor"],
    }
    assert list(csv.DictReader(io.StringIO(render(tables(), MatrixFormat.CSV, TODAY)))) == records


def test_markdown_numbers_the_sources() -> None:
    text = render(tables(), MatrixFormat.MARKDOWN, TODAY)
    assert "| debian-12 | ✓ [1] | ◐ [1] | ≠ [1], [2] |" in text
    assert "| rhel-9 | ✗ [3] |  |  |" in text
    assert f"1. <{SOURCES['vendor']}>" in text


class Page(HTMLParser):
    """Gathers the cells' classes, the links, and the places that links can lead to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.classes: list[str] = []
        self.links: list[str] = []
        self.places: set[str] = set()
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attributes}
        self.tags.add(tag)
        self.places |= {known["id"]} if "id" in known else set()
        if tag == "td":
            self.classes.append(known.get("class", ""))
        if tag == "a":
            self.links.append(known["href"])


def test_the_page_links_each_cell_to_its_source() -> None:
    page = Page(render(tables(), MatrixFormat.HTML, TODAY))
    assert page.classes == [
        "supported",
        "conditional",
        "disputed",
        "unsupported",
        "",
        "",
        "supported",
    ]
    inner = [link for link in page.links if link.startswith("#")]
    assert len(inner) == 6, "one for each statement"
    assert {link.removeprefix("#") for link in inner} <= page.places
    assert set(SOURCES.values()) <= set(page.links)
    assert "b" not in page.tags, "words of a profile are escaped"
    assert "link" not in page.tags, "it loads nothing from elsewhere"
