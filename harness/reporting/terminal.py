"""What a run found, told in the terminal."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.reporting.phrases import LATER, scope_words, status_word, verdict_word
from harness.results.model import Outcome, RunRecord, Status, Untested, Verdict
from harness.results.store import RunDirectory
from harness.text import sanitize

STYLES = {
    Verdict.VERIFIED: "green",
    Verdict.EXCEEDS_CLAIM: "green",
    Verdict.OBSERVED_WORKING: "green",
    Verdict.VIOLATED: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.UNTESTED: "dim",
    Verdict.NOT_APPLICABLE: "dim",
}

STATUS_STYLES = {
    Status.CERTIFIED: "bold green",
    Status.CERTIFIED_WITH_EXCEPTIONS: "bold yellow",
    Status.NOT_CERTIFIED: "bold red",
    Status.INCOMPLETE: "bold yellow",
}

BAD = (Outcome.FAILED, Outcome.BROKEN, Outcome.BLOCKED, Outcome.FLAKY)


def summary(run: RunRecord, directory: RunDirectory, *, colour: bool) -> str:
    """Verdicts by feature, what failed and why, the certificates, the ledger, the report."""
    buffer = io.StringIO()
    console = Console(
        file=buffer, width=100, force_terminal=colour, color_system="standard" if colour else None
    )
    for guest in dict.fromkeys(v.guest for v in run.verdicts):
        console.print(_verdicts(run, guest))
    for left_out in _not_in_tables(run):
        console.print(Text(left_out, "dim"), soft_wrap=True)
    for outcome in run.outcomes:
        if outcome.outcome in BAD:
            console.print(Text(f"{outcome.outcome}: {outcome.feature}: {outcome.subject}", "red"))
            console.print(Text(f"  {sanitize(outcome.reason, 600)}"), soft_wrap=True)
            if outcome.evidence:
                folder = (directory.path / outcome.evidence[0]).parent
                console.print(Text(f"  evidence: {folder}"), soft_wrap=True)
            if outcome.rerun:
                console.print(Text(f"  rerun:    {outcome.rerun}"), soft_wrap=True)
    console.print(Text("time: " + _ledger(run)), soft_wrap=True)
    for certificate in run.certificates:
        line = Text(f"{certificate.guest} on {certificate.hypervisor}: ")
        line.append(status_word(certificate), STATUS_STYLES[certificate.status])
        line.append(f", {scope_words(certificate.scope)}" if certificate.scope else "")
        console.print(line, soft_wrap=True)
        for reason in certificate.reasons[:20]:
            console.print(Text(f"  {sanitize(reason, 300)}"), soft_wrap=True)
    if run.restriction:
        console.print(Text(f"only a part was run: {run.restriction}", "yellow"), soft_wrap=True)
    console.print(Text(f"report: {directory.site / 'index.html'}"), soft_wrap=True)
    return buffer.getvalue()


def _verdicts(run: RunRecord, guest: str) -> Table:
    """One guest's features by its variants: all guests side by side are wider than a terminal."""
    told = [v for v in run.verdicts if v.guest == guest]
    variants = list(dict.fromkeys(v.variant for v in told))
    table = Table(box=None, pad_edge=False)
    table.add_column(guest, no_wrap=True)
    for variant in variants:
        table.add_column(variant)
    by_place = {(v.feature, v.variant): v for v in told}
    shown = (v.feature for v in told if v.is_relevant and v.untested not in LATER)
    for feature in dict.fromkeys(shown):
        verdicts = [by_place[feature, variant] for variant in variants]
        table.add_row(
            feature, *(Text(verdict_word(v), STYLES.get(v.verdict, "")) for v in verdicts)
        )
    return table


def _not_in_tables(run: RunRecord) -> Iterator[str]:
    """How many features the tables leave out, and why."""
    told = {v.feature for v in run.verdicts if v.is_relevant}
    shown = {v.feature for v in run.verdicts if v.untested not in LATER}
    waiting = {
        v.feature: v for v in run.verdicts if v.feature in told - shown and v.untested in LATER
    }
    words = Counter(
        "have no case yet" if v.untested is Untested.PLANNED else f"wait for tier {v.tier}"
        for v in waiting.values()
    )
    for word, count in sorted(words.items()):
        yield f"{count} more claimed features {word}"
    if silent := {v.feature for v in run.verdicts} - told:
        yield f"{len(silent)} more features are neither claimed nor tested"


def _ledger(run: RunRecord) -> str:
    parts = sorted(run.ledger.items(), key=lambda item: -item[1])
    wall = (run.finished - run.started).total_seconds()
    works = ", ".join(f"{work} {took:.0f} s" for work, took in parts)
    how = f" in {len(run.resumed) + 1} parts" if run.resumed else ""
    return f"{wall:.0f} s{how}; by work: {works}"
