"""Hostile guest text, in every field that can hold a guest's text."""

from __future__ import annotations

import re

from harness.results.model import RunRecord, Status, Verdict
from harness.results.outcomes import Outcome
from tests.unit.builders import a_certificate, a_run, a_verdict, an_environment, an_outcome

MARKUP = '"><script>alert(1)</script><img src=x onerror="alert(2)">'
ESCAPES = (
    "\x1b[31mred\x1b]0;title\x07\x08\r\x00\x7f\x9b2J\u202egnp.exe\u2028\u2029\u200e\u200f\u061c"
)
LONG = "x" * 1_000_000
HOSTILE_TEXT = f"{MARKUP} {ESCAPES} [bold]rich[/bold] {{{{ 7 * 7 }}}} {LONG}"
"""Text of a hostile guest."""

ACTING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff]"
)
"""Characters that act on a terminal, are none of XML, or turn the direction of text."""


def hostile_run() -> RunRecord:
    """A run whose guest's words stand wherever a guest's words can."""
    return a_run(
        an_outcome(Outcome.FAILED, reason=HOSTILE_TEXT, evidence=["evidence/one/console.log"]),
        an_outcome(Outcome.KNOWN_ISSUE, "boot.pause", reason=HOSTILE_TEXT),
        verdicts=[
            a_verdict(Verdict.VIOLATED, reason=HOSTILE_TEXT),
            a_verdict(Verdict.INCONCLUSIVE, "boot.pause", reason=HOSTILE_TEXT),
        ],
        certificates=[a_certificate(Status.NOT_CERTIFIED, reasons=[HOSTILE_TEXT])],
        environment=an_environment(cpu=HOSTILE_TEXT),
    )
