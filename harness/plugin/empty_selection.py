"""The error for a selection without cases, with the nearest alternative."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pytest

from harness.errors import UsageError
from harness.features.tiers import Tier
from harness.lab.run_choices import RunChoices
from harness.profiles.documents import nearest

NAME = re.compile(r"[^\s()]+")
"""A name in an expression of -k or -m."""

OPERATORS = frozenset({"and", "or", "not"})

LISTING = "guestcert certify -- --collect-only -q"


@dataclass
class Collected:
    """The cases before -k and -m apply, and those of a higher tier, by their names."""

    here: list[frozenset[str]] = field(default_factory=list)
    higher_tier: list[frozenset[str]] = field(default_factory=list)
    marks: frozenset[str] = frozenset()

    @classmethod
    def of(cls, here: Sequence[pytest.Item], higher_tier: Sequence[pytest.Item]) -> Collected:
        """The names and marks of collected items."""
        marks = {mark.name for item in here for mark in item.iter_markers()}
        return cls([*map(_names, here)], [*map(_names, higher_tier)], frozenset(marks))


def nothing_selected(choices: RunChoices, collected: Collected) -> UsageError:
    """The error, with the nearest name, or the tier that has the cases."""
    if choices.keyword:
        sentence = f"no case matches -k {choices.keyword!r}"
        return UsageError(sentence, remedy=_other_keyword(choices.keyword, collected))
    if choices.markers:
        sentence = f"no case has the marks of -m {choices.markers!r}"
        unknown = [name for name in _names_in(choices.markers) if name not in collected.marks]
        near = [nearest(name, sorted(collected.marks)) for name in unknown]
        known = f"one of {', '.join(sorted(collected.marks))}"
        return UsageError(sentence, remedy=next(filter(None, near), known))
    if collected.higher_tier:
        sentence = f"every selected case belongs to a higher tier than {choices.tier}"
        return UsageError(sentence, remedy=f"--tier {Tier.FULL}")
    return UsageError("no case is left of the selection", remedy=LISTING)


def _other_keyword(expression: str, collected: Collected) -> str:
    """The remedy for the first name that no case has."""
    for name in _names_in(expression):
        if _count(name, collected.here):
            continue
        if higher := _count(name, collected.higher_tier):
            return f"--tier {Tier.FULL}, to which the cases of {name} belong ({_cases(higher)})"
        known = Counter(part for names in collected.here for part in _parts(names))
        near = nearest(name.lower(), list(known))
        if near is not None:
            return f"{near} ({_cases(_count(near, collected.here))})"
    return LISTING


def _names_in(expression: str) -> list[str]:
    return [name for name in NAME.findall(expression) if name not in OPERATORS]


def _names(item: pytest.Item) -> frozenset[str]:
    """The names that pytest matches -k against."""
    names = {node.name for node in item.listchain()} | set(item.listextrakeywords())
    return frozenset(n.lower() for n in names | {mark.name for mark in item.iter_markers()})


def _parts(names: Iterable[str]) -> set[str]:
    """The parts of names such as test_is_lost_when_the_guest_hangs[debian-12-bios]."""
    return {part for name in names for part in re.split(r"[^a-z0-9]+", name) if len(part) > 2}


def _count(name: str, cases: Sequence[frozenset[str]]) -> int:
    return sum(any(name.lower() in one for one in names) for names in cases)


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count} cases"
