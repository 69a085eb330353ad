"""The words that the project avoids, and what it says instead."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A word or a phrase to avoid; `pattern` matches lower-case prose, or words of a name."""

    pattern: re.Pattern[str]
    instead: str


def _rule(pattern: str, instead: str) -> Rule:
    return Rule(re.compile(rf"\b(?:{pattern})\b"), instead)


NAMES = (
    _rule("told|tells?|telling", "reported, states, returns, shows"),
    _rule("said|says?", "reported, output, message"),
    _rule("begun|began|anew", "started, again"),
    _rule("ours", "owned, built_in"),
    _rule("doomed", "stale"),
    _rule("harmless", "benign, sanitized"),
    _rule("mend|mends|lest|thereby|whereof", "repair, or a plain noun"),
)
"""Rules of names: applied to a name's words, joined by blanks."""

PROSE = (
    *NAMES,
    _rule("begin anew", "restart"),
    _rule("our own|of ours|our", "guestcert's, owned by this run, built-in"),
    _rule(
        r"(?<!there )(?:is|are|was|were) no (?!longer\b|more\b|less\b|fewer\b)\w+", "is not a ..."
    ),
    _rule("can not", "cannot"),
    _rule(r"(?:has|have|had) not (?:an?|the|any)|(?:has|have) it not", "has no ..."),
    _rule("(?:take|takes|taken|taking|took) away", "remove"),
    _rule("(?:give|gives|given|giving|gave) back", "return"),
    _rule("(?:let|lets|letting) go", "release"),
    _rule(r"(?:go|goes|going|gone|went) on", "continue, resume, run"),
    _rule("of which each|of whom each", "each of which"),
    _rule("where it has (?:one|it|them)", "if it has one"),
    _rule(r"that (?:is|are|was|were) there|what is there", "existing, present"),
)
"""Rules of docstrings, comments, messages and documents."""


def violations(text: str, rules: tuple[Rule, ...]) -> list[tuple[int, str, str]]:
    """Each match in a text: its position, the words, and what to say instead."""
    lowered = text.lower()
    return sorted(
        (found.start(), found.group(), rule.instead)
        for rule in rules
        for found in rule.pattern.finditer(lowered)
    )
