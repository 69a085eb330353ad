"""What a run found, told in the terminal."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.results.model import Outcome, RunRecord, Status, Verdict
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
    silent = {v.feature for v in run.verdicts} - {
        v.feature for v in run.verdicts if v.tells_something
    }
    if silent:
        console.print(Text(f"{len(silent)} more features are neither claimed nor tested", "dim"))
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
        line.append(str(certificate.status).replace("-", " "), STATUS_STYLES[certificate.status])
        console.print(line, soft_wrap=True)
        for reason in certificate.reasons[:20]:
            console.print(Text(f"  {sanitize(reason, 300)}"), soft_wrap=True)
    if run.selection:
        console.print(Text(f"only a part was run: {run.selection}", "yellow"), soft_wrap=True)
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
    by_place = {(v.feature, v.variant): v.verdict for v in told}
    for feature in dict.fromkeys(v.feature for v in told if v.tells_something):
        verdicts = [by_place[feature, variant] for variant in variants]
        table.add_row(feature, *(Text(str(v), STYLES.get(v, "")) for v in verdicts))
    return table


def _ledger(run: RunRecord) -> str:
    parts = sorted(run.ledger.items(), key=lambda item: -item[1])
    wall = (run.finished - run.started).total_seconds()
    works = ", ".join(f"{work} {took:.0f} s" for work, took in parts)
    how = f" in {len(run.resumed) + 1} parts" if run.resumed else ""
    return f"{wall:.0f} s{how}; by work: {works}"
