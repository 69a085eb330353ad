"""The arguments of a command line: guests or runs, files of cases, and pytest's arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.profiles.selection import EXPRESSION


@dataclass(frozen=True)
class Arguments:
    """A command line's arguments besides its options."""

    guests: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()  # files, folders or node ids: they hold a `/` or end in .py
    untyped: tuple[str, ...] = ()  # for pytest, unchanged: all from the first option on


def split_arguments(arguments: Sequence[str]) -> Arguments:
    """Split the arguments of a command by their kind."""
    first = next(
        (n for n, argument in enumerate(arguments) if argument.startswith("-")), len(arguments)
    )
    named = arguments[:first]
    return Arguments(
        guests=tuple(one for one in named if not _is_path(one)),
        cases=tuple(one for one in named if _is_path(one)),
        untyped=tuple(arguments[first:]),
    )


def _is_path(argument: str) -> bool:
    return not EXPRESSION.search(argument) and ("/" in argument or argument.endswith(".py"))
