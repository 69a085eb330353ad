"""Selects profiles by an id, a glob, or an expression over a profile's fields.

debian-12        debian-*        'family=windows and release>=2016 and not eol'
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from types import MappingProxyType

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput, VisitError

from harness.errors import BadFileError, UsageError
from harness.profiles.documents import nearest
from harness.profiles.model import Profile

DEFAULT_GUEST = "debian-12"

FIELDS = ("id", "name", "family", "release", "architecture", "recipe")

FLAGS: dict[str, Callable[[Profile, date], bool]] = {
    "eol": lambda profile, today: profile.lifecycle.is_over(today),
    "listed": lambda profile, _: profile.hyperv is not None and profile.hyperv.listed,
}
"""Flags: `eol`, the release no longer gets fixes; `listed`, Microsoft lists it."""

GRAMMAR = r"""
    ?start: any
    ?any: all ("or" all)*       -> any_of
    ?all: term ("and" term)*    -> all_of
    ?term: "not" term           -> negated
         | "(" any ")"
         | FIELD OPERATOR VALUE -> compared
         | FLAG              -> flagged
    FIELD: /[a-z_]+/
    FLAG: /(?!(and|or|not)\b)[a-z_]+/
    OPERATOR: "!=" | ">=" | "<=" | "=" | ">" | "<"
    VALUE: /[A-Za-z0-9_.*?-]+/ | /"[^"]*"/
    %ignore " "
"""

Test = Callable[[Profile], bool]

EXPRESSION = re.compile(r"[=<>()\s]")
"""Characters that ids and globs do not have."""

VALUES_SHOWN = 30

_parser = Lark(GRAMMAR, parser="earley", lexer="dynamic")


def select(
    profiles: Sequence[Profile],
    wanted: Sequence[str],
    *,
    today: date | None = None,
    broken: Mapping[str, BadFileError] = MappingProxyType({}),
) -> list[Profile]:
    """The profiles that any of `wanted` selects, in the order of the profiles.

    `broken` has the problems of unreadable profiles by id. Raises the problem if an id or a glob
    selects a broken profile; UsageError with near matches if one of `wanted` is malformed or
    selects nothing.
    """
    chosen: set[str] = set()
    for words in wanted:
        if not EXPRESSION.search(words):
            for id_, problem in broken.items():
                if fnmatch.fnmatchcase(id_, words):
                    raise problem
        chosen |= {profile.id for profile in _meant(profiles, words, today or date.today())}
    return [profile for profile in profiles if profile.id in chosen]


def _meant(profiles: Sequence[Profile], words: str, today: date) -> list[Profile]:
    if EXPRESSION.search(words) or words in FLAGS:
        return _by_expression(profiles, words, today)
    found = [profile for profile in profiles if fnmatch.fnmatchcase(profile.id, words)]
    if not found:
        ids = [profile.id for profile in profiles]
        near = nearest(words, ids)
        remedy = near if near else "guestcert profiles list"
        raise UsageError(f"there is no profile {words!r}", remedy=remedy)
    return found


def _by_expression(profiles: Sequence[Profile], words: str, today: date) -> list[Profile]:
    test = _parse(words, today)
    found = [profile for profile in profiles if test(profile)]
    if not found:
        present = [
            f"{field}: {', '.join(_some(sorted({str(getattr(p, field)) for p in profiles})))}"
            for field in FIELDS
            if re.search(rf"\b{field}\b", words)
        ]
        remedy = "existing values: " + "; ".join(present) if present else "guestcert profiles list"
        raise UsageError(f"no profile matches {words!r}", remedy=remedy)
    return found


def _some(values: list[str]) -> list[str]:
    """The values, cut to a readable number."""
    return values if len(values) <= VALUES_SHOWN else [*values[:VALUES_SHOWN], "..."]


def _parse(words: str, today: date) -> Test:
    try:
        test: Test = _Tests(today).transform(_parser.parse(words))
    except UnexpectedInput as error:
        column = getattr(error, "column", -1)
        place = f"at column {column}" if column > 0 else "at its end"
        raise UsageError(
            f"{words!r} is not a valid selection {place}",
            remedy="use an id, a glob, or an expression such as 'family=debian and release>=12'",
        ) from error
    except VisitError as error:
        if isinstance(error.orig_exc, UsageError):
            raise error.orig_exc from None
        raise
    return test


class _Tests(Transformer[Token, Test]):
    """Transforms a parsed expression into a predicate of profiles."""

    def __init__(self, today: date) -> None:
        super().__init__()
        self._today = today

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
                f"{field!r} is not a field to select by",
                remedy=nearest(field, FIELDS) or f"one of {', '.join(FIELDS)}",
            )
        return lambda profile: _holds(str(getattr(profile, field) or ""), operator, value)

    def flagged(self, tokens: list[Token]) -> Test:
        word = str(tokens[0])
        if word not in FLAGS:
            near = nearest(word, [*FLAGS, *FIELDS])
            raise UsageError(
                f"{word!r} is not a flag to select by",
                remedy=near or f"one of {', '.join(FLAGS)}, or a comparison of {', '.join(FIELDS)}",
            )
        return lambda profile: FLAGS[word](profile, self._today)


def _holds(actual: str, operator: str, wanted: str) -> bool:
    if operator == "=":
        return fnmatch.fnmatchcase(actual, wanted)
    if operator == "!=":
        return not fnmatch.fnmatchcase(actual, wanted)
    order = compare_releases(actual, wanted)
    if order is None:
        return False
    return {">=": order >= 0, "<=": order <= 0, ">": order > 0, "<": order < 0}[operator]


def compare_releases(left: str, right: str) -> int | None:
    """Negative, zero or positive, in natural order: 9 before 10, 12 before 12-sp1.

    None for a number and a word: sid is neither before nor after 12.
    """
    first, second = _parts(left), _parts(right)
    for one, other in zip(first, second, strict=False):
        if isinstance(one, int) and isinstance(other, int):
            difference = one - other
        elif isinstance(one, str) and isinstance(other, str):
            difference = (one > other) - (one < other)
        else:
            return None
        if difference:
            return difference
    return len(first) - len(second)


def _parts(text: str) -> list[int | str]:
    found = re.findall(r"[0-9]+|[^0-9.]+", text)
    return [int(part) if part.isdigit() else part for part in found]
