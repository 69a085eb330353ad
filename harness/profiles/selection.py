"""Which profiles a user means: an id, a glob, or an expression over a profile's fields.

debian-12        debian-*        'family=debian and release>=12'
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Sequence
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput, VisitError

from harness.errors import UsageError
from harness.profiles.documents import nearest
from harness.profiles.model import Profile

DEFAULT_GUEST = "debian-12"

FIELDS = ("id", "name", "family", "release", "architecture", "recipe")

GRAMMAR = r"""
    ?start: any
    ?any: all ("or" all)*       -> any_of
    ?all: term ("and" term)*    -> all_of
    ?term: "not" term           -> negated
         | "(" any ")"
         | FIELD OPERATOR VALUE -> compared
    FIELD: /[a-z_]+/
    OPERATOR: "!=" | ">=" | "<=" | "=" | ">" | "<"
    VALUE: /[A-Za-z0-9_.*?-]+/ | /"[^"]*"/
    %ignore " "
"""

Test = Callable[[Profile], bool]

_parser = Lark(GRAMMAR, parser="earley", lexer="dynamic")


def select(profiles: Sequence[Profile], wanted: Sequence[str]) -> list[Profile]:
    """The profiles that any of `wanted` means, in the order of the profiles.

    Raises UsageError where one of `wanted` is malformed or means no profile, with what is near.
    """
    chosen: set[str] = set()
    for words in wanted:
        chosen |= {profile.id for profile in _meant(profiles, words)}
    return [profile for profile in profiles if profile.id in chosen]


def _meant(profiles: Sequence[Profile], words: str) -> list[Profile]:
    if any(sign in words for sign in "=<>"):
        return _by_expression(profiles, words)
    found = [profile for profile in profiles if fnmatch.fnmatchcase(profile.id, words)]
    if not found:
        ids = [profile.id for profile in profiles]
        near = nearest(words, ids)
        remedy = near if near else f"one of {', '.join(ids)}"
        raise UsageError(f"there is no profile {words!r}", remedy=remedy)
    return found


def _by_expression(profiles: Sequence[Profile], words: str) -> list[Profile]:
    test = _parse(words)
    found = [profile for profile in profiles if test(profile)]
    if not found:
        present = [
            f"{field}: {', '.join(sorted({str(getattr(p, field)) for p in profiles}))}"
            for field in FIELDS
            if re.search(rf"\b{field}\b", words)
        ]
        raise UsageError(
            f"no profile fits {words!r}", remedy="values that exist: " + "; ".join(present)
        )
    return found


def _parse(words: str) -> Test:
    try:
        test: Test = _Tests().transform(_parser.parse(words))
    except UnexpectedInput as error:
        column = getattr(error, "column", -1)
        place = f"at column {column}" if column > 0 else "at its end"
        raise UsageError(
            f"{words!r} can not be understood {place}",
            remedy="an id, a glob, or an expression such as 'family=debian and release>=12'",
        ) from error
    except VisitError as error:
        if isinstance(error.orig_exc, UsageError):
            raise error.orig_exc from None
        raise
    return test


class _Tests(Transformer[Token, Test]):
    """Turns a parsed expression into a test of a profile."""

    def any_of(self, tests: list[Test]) -> Test:
        return lambda profile: any(test(profile) for test in tests)

    def all_of(self, tests: list[Test]) -> Test:
        return lambda profile: all(test(profile) for test in tests)

    def negated(self, tests: list[Test]) -> Test:
        return lambda profile: not tests[0](profile)

    def compared(self, tokens: list[Token]) -> Test:
        field, operator, value = str(tokens[0]), str(tokens[1]), str(tokens[2]).strip('"')
        if field not in FIELDS:
            raise UsageError(
                f"{field!r} is no field to select by",
                remedy=nearest(field, FIELDS) or f"one of {', '.join(FIELDS)}",
            )
        return lambda profile: _holds(str(getattr(profile, field)), operator, value)


def _holds(actual: str, operator: str, wanted: str) -> bool:
    if operator == "=":
        return fnmatch.fnmatchcase(actual, wanted)
    if operator == "!=":
        return not fnmatch.fnmatchcase(actual, wanted)
    left, right = _ordered(actual), _ordered(wanted)
    compare: dict[str, Callable[[Any, Any], bool]] = {
        ">=": lambda a, b: a >= b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        "<": lambda a, b: a < b,
    }
    return compare[operator](left, right)


def _ordered(text: str) -> list[tuple[int, int, str]]:
    """A text such that releases compare as people count: 9 before 10, numbers before words."""
    parts = re.findall(r"\d+|[^\d.]+", text)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
