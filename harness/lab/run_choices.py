"""The choices of a run, typed: its guests, variants, cases, tier, image and hypervisor."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field

from harness.features.tiers import Tier
from harness.hypervisors.definitions import Accelerator
from harness.profiles.variants import Variant
from harness.results.model import Record


class Suite(StrEnum):
    """The suites, which are folders under suites/."""

    BOOT = "boot"
    ISOLATION = "isolation"
    INTEGRATION = "integration"


def _is_under_suites(case: str) -> str:
    path = PurePosixPath(case.partition("::")[0])
    if path.parts[:1] != ("suites",) or ".." in path.parts:
        raise ValueError("is not a file or a folder under suites/")
    return case


CasePath = Annotated[str, AfterValidator(_is_under_suites)]
"""A file, a folder or a pytest node id under suites/, relative to the project's folder."""


class RunChoices(Record):
    """The choices of a run, typed; pytest's command line is made from them."""

    guests: tuple[str, ...] = Field(min_length=1)  # ids, globs or expressions
    variants: tuple[Variant, ...] = ()  # none: all that the profiles name
    suites: tuple[Suite, ...] = ()  # neither suites nor cases: all suites
    cases: tuple[CasePath, ...] = ()
    tier: Tier = Tier.STANDARD
    image: Path | None = None
    recipe: str | None = None
    accelerator: Accelerator | None = None
    hypervisor: str | None = None
    workers: int | None = Field(default=None, ge=0)
    keyword: str = ""  # pytest's -k
    markers: str = ""  # pytest's -m
    exit_first: bool = False  # pytest's -x

    def pytest_arguments(self) -> list[str]:
        """The arguments of pytest for these choices, in the project's folder."""
        arguments = [*(f"suites/{suite}" for suite in self.suites), *self.cases] or ["suites"]
        arguments += [f"--guest={guest}" for guest in self.guests]
        arguments += [f"--variant={variant}" for variant in self.variants]
        arguments.append(f"--tier={self.tier}")
        # A value is joined to its option, so that pytest never takes it for another option.
        for option, value in (
            ("--image=", self.image),
            ("--recipe=", self.recipe),
            ("--accelerator=", self.accelerator),
            ("--hypervisor=", self.hypervisor),
            ("--numprocesses=", self.workers),
            ("-k", self.keyword or None),
            ("-m", self.markers or None),
        ):
            arguments += [f"{option}{value}"] if value is not None else []
        return [*arguments, "-x"] if self.exit_first else arguments
