"""Options that commands share, and the error for an unknown option."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand

from harness.errors import UsageError
from harness.features.tiers import Tier
from harness.hypervisors.definitions import Accelerator
from harness.profiles.documents import nearest

Choice = TypeVar("Choice", bound=StrEnum)

HINTS = {
    "--guest": "guests are named without an option: guestcert certify debian-12",
    "--json": "run.json in the run's folder is for programs",
}
"""Remedies for options that certify does not have."""


def one_of(what: str, known: Sequence[Choice]) -> Callable[[str], Choice]:
    """A function that finds a choice by its name, ignoring case.

    It raises UsageError with the nearest one for an unknown name.
    """

    def choose(name: str) -> Choice:
        for choice in known:
            if choice == name.lower():
                return choice
        names = [str(choice) for choice in known]
        raise UsageError(
            f"there is no {what} {name!r}",
            remedy=nearest(name.lower(), names) or f"one of {', '.join(names)}",
        )

    return choose


TierOption = Annotated[
    Tier,
    typer.Option(
        parser=one_of("tier", tuple(Tier)),
        metavar="|".join(Tier),
        help="Which features are tested, and how often their cases repeat.",
    ),
]

AcceleratorOption = Annotated[
    Accelerator | None,
    typer.Option(
        parser=one_of("accelerator", tuple(Accelerator)),
        metavar="|".join(Accelerator),
        help="Instead of the one that is proved to work.",
    ),
]


class PytestCommand(TyperCommand):
    """A command that passes arguments to pytest: an unknown option may be pytest's."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; raises UsageError for an unknown option, with its remedy."""
        takes_value = {
            name: not getattr(parameter, "is_flag", True)
            for parameter in self.get_params(ctx)
            for name in (*parameter.opts, *parameter.secondary_opts)
        }
        arguments = iter(args)
        for argument in arguments:
            if argument == "--":
                break
            option = argument.partition("=")[0] if argument.startswith("--") else argument[:2]
            if not option.startswith("-") or option == "-":
                continue
            if option not in takes_value:
                raise UsageError(
                    f"guestcert {ctx.info_name} has no option {argument}",
                    remedy=HINTS.get(option)
                    or nearest(option, [name for name in takes_value if len(name) > 2])
                    or f"pytest's options follow --: guestcert {ctx.info_name} -- {argument}",
                )
            if argument == option and takes_value[option]:
                next(arguments, None)
        rest: list[str] = super().parse_args(ctx, args)
        return rest
