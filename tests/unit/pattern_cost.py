"""A bound on what a regular expression costs, computed from its syntax and not by measuring."""

from __future__ import annotations

import math
import re._constants as op  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from typing import Any


def cost_of(pattern: str) -> float:
    """The most steps that a search takes for each position at which it may start.

    Infinite where the pattern repeats anything without a bound: then the text decides, and a
    search through a line takes the square of its length, or worse.
    """
    _, steps = _sequence(parser.parse(pattern))
    return steps


def _sequence(parts: Any) -> tuple[float, float]:
    """In how many ways the parts can match, and how many steps all of the ways take together."""
    ways, steps, before = 1.0, 0.0, None
    for part in parts:
        part_ways, part_steps = _one(*part)
        # No text comes near a word's end at each position: of a word its first letter counts.
        if not (part[0] is op.LITERAL and before is op.LITERAL):
            steps += ways * part_steps
        ways, before = ways * part_ways, part[0]
    return ways, steps


def _one(kind: Any, value: Any) -> tuple[float, float]:
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        least, most, inner = value
        if most is op.MAXREPEAT:
            return math.inf, math.inf
        ways, steps = _sequence(inner)
        total = sum(ways**count for count in range(least, most + 1))
        steps *= max(1, most) * max(1.0, total / (most - least + 1))
        return (1.0 if kind is op.POSSESSIVE_REPEAT else total), steps
    if kind is op.BRANCH:
        return _branches(value[1])
    if kind is op.SUBPATTERN:
        return _sequence(value[3])
    if kind in (op.ASSERT, op.ASSERT_NOT, op.ATOMIC_GROUP):
        _, steps = _sequence(value[1] if isinstance(value, tuple) else value)
        return 1.0, steps
    return 1.0, 1.0


def _branches(branches: Any) -> tuple[float, float]:
    """Of alternatives only those can match at one place that begin with the same character."""
    found = [(*_sequence(branch), _firsts(branch)) for branch in branches]
    if any(not firsts for *_, firsts in found):
        return sum(ways for ways, *_ in found), sum(steps for _, steps, _ in found)
    letters = set().union(*(firsts for *_, firsts in found))
    together = [[each for each in found if letter in each[2]] for letter in letters]
    ways = max(sum(ways for ways, *_ in group) for group in together)
    return ways, len(found) + max(sum(steps for _, steps, _ in group) for group in together)


def _firsts(branch: Any) -> set[int]:
    """The characters that it can begin with; none where that is more than letters."""
    if not len(branch):
        return set()
    kind, value = branch[0]
    if kind is op.LITERAL:
        return {value}
    if kind is op.IN and all(inner is op.LITERAL for inner, _ in value):
        return {letter for _, letter in value}
    return set()
