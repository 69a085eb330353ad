"""Options of several commands, and what is said of one that a command does not have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand

from harness.errors import UsageError
from harness.hypervisors.definitions import Accelerator
from harness.profiles.documents import nearest
from harness.tiers import Tier

Choice = TypeVar("Choice", bound=StrEnum)

HINTS = {
    "--guest": "guests are named without an option: guestcert certify debian-12",
    "--json": "run.json in the run's folder is for programs",
}
"""What to do instead, by an option that is none of certify's, and not of pytest alone."""


def one_of(what: str, known: Sequence[Choice]) -> Callable[[str], Choice]:
    """A function that finds a choice by its name, in any case.

    It raises UsageError with the nearest one for what is none.
    """

    def choose(word: str) -> Choice:
        for choice in known:
            if choice == word.lower():
                return choice
        names = [str(choice) for choice in known]
        raise UsageError(
            f"there is no {what} {word!r}",
            remedy=nearest(word.lower(), names) or f"one of {', '.join(names)}",
        )

    return choose


TierOption = Annotated[
    Tier,
    typer.Option(
        parser=one_of("tier", tuple(Tier)),
        metavar="|".join(Tier),
        help="Which features are tested, and how often what must hold again and again.",
    ),
]

AcceleratorOption = Annotated[
    Accelerator | None,
    typer.Option(
        parser=one_of("accelerator", tuple(Accelerator)),
        metavar="|".join(Accelerator),
        help="Instead of what is proved to work.",
    ),
]


class PytestCommand(TyperCommand):
    """A command that hands arguments on to pytest: what it does not know may be pytest's."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; raises UsageError for an option that is none, with where it is."""
        takes_value = {
            name: not getattr(parameter, "is_flag", True)
            for parameter in self.get_params(ctx)
            for name in (*parameter.opts, *parameter.secondary_opts)
        }
        words = iter(args)
        for word in words:
            if word == "--":
                break
            option = word.partition("=")[0] if word.startswith("--") else word[:2]
            if not option.startswith("-") or option == "-":
                continue
            if option not in takes_value:
                raise UsageError(
                    f"guestcert {ctx.info_name} has no option {word}",
                    remedy=HINTS.get(option)
                    or nearest(option, [name for name in takes_value if len(name) > 2])
                    or f"pytest's options stand after --: guestcert {ctx.info_name} -- {word}",
                )
            if word == option and takes_value[option]:
                next(words, None)
        rest: list[str] = super().parse_args(ctx, args)
        return rest
