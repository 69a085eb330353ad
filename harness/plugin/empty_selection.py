"""Why no case is left of what pytest was asked for, and what is near."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pytest

from harness.errors import UsageError
from harness.profiles.documents import nearest
from harness.results.manifest import RunChoices
from harness.tiers import Tier

WORD = re.compile(r"[^\s()]+")
"""A name in an expression of -k or -m."""

OPERATORS = frozenset({"and", "or", "not"})

LISTING = "guestcert certify -- --collect-only -q"


@dataclass
class Collected:
    """The cases that were there before -k and -m, and those of a higher tier, by their names."""

    here: list[frozenset[str]] = field(default_factory=list)
    beyond: list[frozenset[str]] = field(default_factory=list)
    marks: frozenset[str] = frozenset()

    @classmethod
    def of(cls, here: Sequence[pytest.Item], beyond: Sequence[pytest.Item]) -> Collected:
        """What is remembered of collected items."""
        marks = {mark.name for item in here for mark in item.iter_markers()}
        return cls([*map(_names, here)], [*map(_names, beyond)], frozenset(marks))


def nothing_selected(choices: RunChoices, collected: Collected) -> UsageError:
    """Why no case is left, with the nearest word, or the tier that has the cases."""
    if choices.keyword:
        sentence = f"no case matches -k {choices.keyword!r}"
        return UsageError(sentence, remedy=_other_keyword(choices.keyword, collected))
    if choices.markers:
        sentence = f"no case has the marks of -m {choices.markers!r}"
        unknown = [word for word in _words(choices.markers) if word not in collected.marks]
        near = [nearest(word, sorted(collected.marks)) for word in unknown]
        known = f"one of {', '.join(sorted(collected.marks))}"
        return UsageError(sentence, remedy=next(filter(None, near), known))
    if collected.beyond:
        sentence = f"every case that was asked for belongs to a higher tier than {choices.tier}"
        return UsageError(sentence, remedy=f"--tier {Tier.FULL}")
    return UsageError("no case is left of what pytest was asked for", remedy=LISTING)


def _other_keyword(expression: str, collected: Collected) -> str:
    """What to ask for instead: of the first word that no case has."""
    for word in _words(expression):
        if _count(word, collected.here):
            continue
        if higher := _count(word, collected.beyond):
            return f"--tier {Tier.FULL}, to which the cases of {word} belong ({_cases(higher)})"
        known = Counter(part for names in collected.here for part in _parts(names))
        near = nearest(word.lower(), list(known))
        if near is not None:
            return f"{near} ({_cases(_count(near, collected.here))})"
    return LISTING


def _words(expression: str) -> list[str]:
    return [word for word in WORD.findall(expression) if word not in OPERATORS]


def _names(item: pytest.Item) -> frozenset[str]:
    """The names in which pytest looks for the words of -k."""
    names = {node.name for node in item.listchain()} | set(item.listextrakeywords())
    return frozenset(n.lower() for n in names | {mark.name for mark in item.iter_markers()})


def _parts(names: Iterable[str]) -> set[str]:
    """The words of which names consist: test_is_lost_when_the_guest_hangs[debian-12-bios]."""
    return {part for name in names for part in re.split(r"[^a-z0-9]+", name) if len(part) > 2}


def _count(word: str, cases: Sequence[frozenset[str]]) -> int:
    return sum(any(word.lower() in name for name in names) for names in cases)


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count} cases"
