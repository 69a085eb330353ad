"""The words of a command line: guests or runs, files of cases, and pytest's own arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.profiles.selection import EXPRESSION


@dataclass(frozen=True)
class Arguments:
    """What stands on a command line besides its options."""

    guests: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()  # files, folders or node ids, which hold a `/` or end in .py
    untyped: tuple[str, ...] = ()  # for pytest, as they are: all from the first option on


def split_arguments(arguments: Sequence[str]) -> Arguments:
    """Sort the words that a command was given."""
    first = next((n for n, word in enumerate(arguments) if word.startswith("-")), len(arguments))
    named = arguments[:first]
    return Arguments(
        guests=tuple(word for word in named if not _is_place(word)),
        cases=tuple(word for word in named if _is_place(word)),
        untyped=tuple(arguments[first:]),
    )


def _is_place(word: str) -> bool:
    return not EXPRESSION.search(word) and ("/" in word or word.endswith(".py"))
