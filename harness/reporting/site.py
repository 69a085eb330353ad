"""The site: one page that loads nothing from the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.features.catalogue import Feature
from harness.reporting.pages import page
from harness.reporting.phrases import LATER
from harness.results.model import OutcomeRecord, RunRecord, VerdictRecord
from harness.results.store import RunDirectory, write_text

TEMPLATE = "report.html.j2"


@dataclass(frozen=True)
class Share:
    """A phase's share of the run's time, for the bar."""

    phase: str
    seconds: float
    percent: float


@dataclass(frozen=True)
class Row:
    """A feature with its verdict on each variant, in the order of the columns."""

    feature: Feature
    verdicts: tuple[VerdictRecord, ...]

    @property
    def is_relevant(self) -> bool:
        """Whether the feature is claimed or was tested, on any variant."""
        return any(verdict.is_relevant for verdict in self.verdicts)

    @property
    def in_higher_tier(self) -> bool:
        """Whether the feature is claimed, but no run of this tier tests it."""
        return self.is_relevant and all(v.untested in LATER for v in self.verdicts)


def write_site(run: RunRecord, directory: RunDirectory, catalogue: Sequence[Feature]) -> None:
    """Write site/index.html."""
    write_text(directory.site / "index.html", render(run, catalogue))


def render(run: RunRecord, catalogue: Sequence[Feature]) -> str:
    """The page. All text of guests is bounded, sanitized and escaped."""
    columns = list(dict.fromkeys((v.guest, v.variant) for v in run.verdicts))
    return page(
        TEMPLATE,
        run=run,
        columns=columns,
        rows=_rows(run, catalogue, columns),
        suites=list(dict.fromkeys(feature.suite for feature in catalogue)),
        outcomes=sorted(run.outcomes, key=_order),
        counts=_counts(run),
        shares=_shares(run),
    )


def _rows(
    run: RunRecord, catalogue: Sequence[Feature], columns: Sequence[tuple[str, str]]
) -> list[Row]:
    by_variant = {(v.feature, v.guest, v.variant): v for v in run.verdicts}
    return [
        Row(feature, tuple(by_variant[(feature.id, *column)] for column in columns))
        for feature in catalogue
    ]


def _order(outcome: OutcomeRecord) -> tuple[str, str, str]:
    return outcome.feature, outcome.subject, outcome.variant


def _counts(run: RunRecord) -> dict[str, int]:
    counts: dict[str, int] = {}
    for outcome in run.outcomes:
        counts[str(outcome.outcome)] = counts.get(str(outcome.outcome), 0) + 1
    return counts


def _shares(run: RunRecord) -> list[Share]:
    total = sum(run.ledger.values()) or 1.0
    shares = [Share(phase, took, 100 * took / total) for phase, took in run.ledger.items()]
    return sorted(shares, key=lambda share: -share.seconds)
