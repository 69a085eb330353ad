"""The report to read: one page that loads nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.profiles.catalogue import Feature
from harness.reporting.text import harmless
from harness.results.model import OutcomeRecord, RunRecord, VerdictRecord
from harness.results.store import RunDirectory, write_text

TEMPLATE = "report.html.j2"


@dataclass(frozen=True)
class Share:
    """A kind of work's part of the run's time, for the bar."""

    work: str
    seconds: float
    percent: float


@dataclass(frozen=True)
class Row:
    """A feature with its verdict on each variant, in the order of the columns."""

    feature: Feature
    verdicts: tuple[VerdictRecord, ...]


def write_site(run: RunRecord, directory: RunDirectory, catalogue: Sequence[Feature]) -> None:
    """Write site/index.html."""
    write_text(directory.site / "index.html", render(run, catalogue))


def render(run: RunRecord, catalogue: Sequence[Feature]) -> str:
    """The page. All words of guests are bounded, made harmless, and escaped."""
    environment = Environment(
        loader=PackageLoader("harness.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"harmless": harmless, "duration": duration, "link": link}
    columns = list(dict.fromkeys((v.guest, v.variant) for v in run.verdicts))
    return environment.get_template(TEMPLATE).render(
        run=run,
        columns=columns,
        rows=_rows(run, catalogue, columns),
        suites=list(dict.fromkeys(feature.suite for feature in catalogue)),
        outcomes=sorted(run.outcomes, key=_order),
        counts=_counts(run),
        shares=_shares(run),
    )


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def link(path: str) -> Markup | str:
    """A link to a piece of evidence, which lies within the run directory; else just its name."""
    pure = PurePosixPath(path)
    name = harmless(pure.name, 80)
    if pure.is_absolute() or ".." in pure.parts:
        return name
    if pure.suffix == ".png":
        return Markup(
            '<a class="shot" href="../{0}"><img loading="lazy" src="../{0}" alt="{1}"></a>'
        ).format(path, name)
    return Markup('<a href="../{}">{}</a>').format(path, name)


def _rows(
    run: RunRecord, catalogue: Sequence[Feature], columns: Sequence[tuple[str, str]]
) -> list[Row]:
    by_place = {(v.feature, v.guest, v.variant): v for v in run.verdicts}
    return [
        Row(feature, tuple(by_place[(feature.id, *column)] for column in columns))
        for feature in catalogue
    ]


def _order(outcome: OutcomeRecord) -> tuple[str, str, str]:
    return outcome.feature, outcome.case, outcome.variant


def _counts(run: RunRecord) -> dict[str, int]:
    counts: dict[str, int] = {}
    for outcome in run.outcomes:
        counts[str(outcome.outcome)] = counts.get(str(outcome.outcome), 0) + 1
    return counts


def _shares(run: RunRecord) -> list[Share]:
    total = sum(run.ledger.values()) or 1.0
    shares = [Share(work, took, 100 * took / total) for work, took in run.ledger.items()]
    return sorted(shares, key=lambda share: -share.seconds)
