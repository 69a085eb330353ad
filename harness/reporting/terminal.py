"""The summary of a run in the terminal."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.reporting.phrases import LATER, scope_words, status_word, verdict_word
from harness.results.model import RunRecord, Status, Untested, Verdict
from harness.results.outcomes import ResultClass
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

BAD = (ResultClass.FAILS, ResultClass.INCONCLUSIVE)


def summary(run: RunRecord, directory: RunDirectory, *, colour: bool) -> str:
    """Verdicts by feature, failures, certificates, time accounting, the report's path."""
    buffer = io.StringIO()
    console = Console(
        file=buffer, width=100, force_terminal=colour, color_system="standard" if colour else None
    )
    for guest in dict.fromkeys(v.guest for v in run.verdicts):
        console.print(_verdicts(run, guest))
    for left_out in _not_in_tables(run):
        console.print(Text(left_out, "dim"), soft_wrap=True)
    for outcome in run.outcomes:
        if outcome.outcome.traits.result_class in BAD:
            console.print(Text(f"{outcome.outcome}: {outcome.feature}: {outcome.subject}", "red"))
            console.print(Text(f"  {sanitize(outcome.reason, 600)}"), soft_wrap=True)
            if outcome.evidence:
                folder = (directory.path / outcome.evidence[0]).parent
                console.print(Text(f"  evidence: {folder}"), soft_wrap=True)
            if outcome.rerun:
                console.print(Text(f"  rerun:    {outcome.rerun}"), soft_wrap=True)
    console.print(Text("time: " + _time_accounting(run)), soft_wrap=True)
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
    verdicts = [v for v in run.verdicts if v.guest == guest]
    variants = list(dict.fromkeys(v.variant for v in verdicts))
    table = Table(box=None, pad_edge=False)
    table.add_column(guest, no_wrap=True)
    for variant in variants:
        table.add_column(variant)
    by_variant = {(v.feature, v.variant): v for v in verdicts}
    shown = (v.feature for v in verdicts if v.is_relevant and v.untested not in LATER)
    for feature in dict.fromkeys(shown):
        row = [by_variant[feature, variant] for variant in variants]
        table.add_row(feature, *(Text(verdict_word(v), STYLES.get(v.verdict, "")) for v in row))
    return table


def _not_in_tables(run: RunRecord) -> Iterator[str]:
    """The number of features that the tables omit, by the reason."""
    relevant = {v.feature for v in run.verdicts if v.is_relevant}
    shown = {v.feature for v in run.verdicts if v.untested not in LATER}
    waiting = {
        v.feature: v for v in run.verdicts if v.feature in relevant - shown and v.untested in LATER
    }
    counts = Counter(
        "have no case yet" if v.untested is Untested.PLANNED else f"wait for tier {v.tier}"
        for v in waiting.values()
    )
    for phrase, count in sorted(counts.items()):
        yield f"{count} more claimed features {phrase}"
    if silent := {v.feature for v in run.verdicts} - relevant:
        yield f"{len(silent)} more features are neither claimed nor tested"


def _time_accounting(run: RunRecord) -> str:
    phases = sorted(run.ledger.items(), key=lambda item: -item[1])
    wall = (run.finished - run.started).total_seconds()
    by_phase = ", ".join(f"{phase} {took:.0f} s" for phase, took in phases)
    in_parts = f" in {len(run.resumed) + 1} parts" if run.resumed else ""
    return f"{wall:.0f} s{in_parts}; by phase: {by_phase}"
