"""guestcert's options of pytest's command line, and the run that they describe."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.features.tiers import Tier
from harness.hypervisors.accelerator import choose_accelerator
from harness.hypervisors.connection import default_address
from harness.hypervisors.definitions import Accelerator
from harness.image_store.places import store_root
from harness.lab.context import RunContext
from harness.lab.ownership import own
from harness.lab.run_choices import RunChoices, Suite
from harness.lab.run_plan import RunPlan
from harness.profiles.places import project_root
from harness.profiles.selection import DEFAULT_GUEST
from harness.profiles.variants import NAMES
from harness.results.store import RunDirectory, new_run_id

SUITES = "suites"

TYPED_LONG = frozenset(
    {
        *("--guest", "--variant", "--image", "--recipe", "--tier", "--hypervisor"),
        *("--accelerator", "--run-id", "--reports", "--numprocesses"),
    }
)
TYPED_SHORT = ("-k", "-m", "-n")
TYPED_FLAGS = frozenset({"-x", "--exitfirst", "--resume"})
"""The options that a run's manifest holds typed; the first two kinds have a value."""


def add_options(parser: pytest.Parser) -> None:
    """Declare the options of a certification."""
    group = parser.getgroup("guestcert", "certification of guests")
    group.addoption(
        "--guest",
        action="append",
        metavar="GUEST",
        help="guest to certify: an id, a glob, or an expression over profile fields "
        f"(default: {DEFAULT_GUEST}); may be given more than once",
    )
    group.addoption(
        "--variant",
        action="append",
        type=str.lower,
        choices=[str(name) for name in NAMES],
        help="only this variant; may be given more than once",
    )
    group.addoption("--image", type=Path, metavar="FILE", help="your own build of the guest's OS")
    group.addoption("--recipe", metavar="RECIPE", help="another recipe than the guest's own")
    group.addoption(
        "--tier",
        choices=[str(t) for t in Tier],
        default=str(Tier.STANDARD),
        help="which features are tested, and how often their cases repeat (default: standard)",
    )
    group.addoption(
        "--hypervisor",
        metavar="URI",
        help="default: LIBVIRT_DEFAULT_URI, else qemu:///system, else session",
    )
    group.addoption("--accelerator", choices=[str(a) for a in Accelerator])
    group.addoption("--run-id", help="name of the run's folder under reports/")
    group.addoption("--resume", action="store_true", help="resume the run that --run-id names")
    group.addoption(
        "--reports", type=Path, default=project_root() / "reports", help="where runs are written"
    )


def is_certification(config: pytest.Config) -> bool:
    """Whether pytest's arguments name cases under suites/, not only the project's own tests."""
    return any(_path_in_suites(config, argument) is not None for argument in config.args)


def choices_of(config: pytest.Config) -> RunChoices:
    """The choices of the run, from pytest's command line and its configuration."""
    image: Path | None = config.getoption("--image")
    accelerator = config.getoption("--accelerator")
    paths = [path for path in (_path_in_suites(config, a) for a in config.args) if path]
    whole = SUITES in paths
    suites = {f"{SUITES}/{suite}": suite for suite in Suite}
    return RunChoices(
        guests=tuple(config.getoption("--guest") or [DEFAULT_GUEST]),
        variants=tuple(config.getoption("--variant") or ()),
        suites=() if whole else tuple(suites[path] for path in paths if path in suites),
        cases=() if whole else tuple(path for path in paths if path not in suites),
        tier=Tier(config.getoption("--tier")),
        image=(config.invocation_params.dir / image).resolve() if image else None,
        recipe=config.getoption("--recipe"),
        accelerator=Accelerator(accelerator) if accelerator else None,
        hypervisor=config.getoption("--hypervisor") or default_address(),
        workers=config.getoption("numprocesses", default=None),
        keyword=config.getoption("keyword", default=""),
        markers=config.getoption("markexpr", default=""),
        exit_first=config.getoption("maxfail", default=0) == 1,
    )


def require_paths(config: pytest.Config) -> None:
    """Raise UsageError where an argument names a missing file or folder."""
    for argument in config.args:
        path = argument.partition("::")[0]
        if not (config.invocation_params.dir / path).exists():
            raise UsageError(
                f"there is no file or folder {path!r} of cases",
                remedy=f"where {path} is a guest: guestcert certify {path} -- ARGUMENTS OF PYTEST, "
                f"or pytest suites --guest {path}"
                if "/" not in path
                else "ls -R suites",
            )


def untyped_arguments(config: pytest.Config) -> tuple[str, ...]:
    """The arguments of pytest's command line that are not choices, unchanged."""
    found: list[str] = []
    arguments = iter(map(str, config.invocation_params.args))
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        if name in TYPED_LONG or argument in TYPED_SHORT:
            if not equals:
                next(arguments, None)  # its value
            continue
        is_path = argument in config.args and _path_in_suites(config, argument) is not None
        if not (is_path or argument in TYPED_FLAGS or argument[:2] in TYPED_SHORT):
            found.append(argument)
    return tuple(found)


def _path_in_suites(config: pytest.Config, argument: str) -> str | None:
    """A file, a folder or a node id under suites/, relative to the project's folder."""
    path, colons, rest = argument.partition("::")
    resolved = (config.invocation_params.dir / path).resolve()
    root = project_root()
    if resolved != root / SUITES and root / SUITES not in resolved.parents:
        return None
    return f"{resolved.relative_to(root).as_posix()}{colons}{rest}"


def make_context(config: pytest.Config, plan: RunPlan) -> RunContext:
    """The context of the run, decided once. Raises HarnessError."""
    choices, store = plan.choices, store_root()
    choice = choose_accelerator(choices.accelerator, store, choices.hypervisor)
    run = config.getoption("--run-id") or new_run_id()
    return RunContext(
        owner=own(run),
        reports=RunDirectory(config.getoption("--reports") / run).path,
        store=store,
        hypervisor=choices.hypervisor,
        kind=plan.kind,
        accelerator=choice.accelerator,
        accelerator_reason=choice.reason,
        image=choices.image,
        recipe=choices.recipe,
        tier=choices.tier,
        password=secrets.token_urlsafe(12),
    )


def selection_in_words(choices: RunChoices, config: pytest.Config) -> str:
    """What restricts the run to a part of the suites, for people; empty: nothing."""
    parts = []
    if choices.keyword:
        parts.append(f"-k {choices.keyword!r}")
    if choices.markers:
        parts.append(f"-m {choices.markers!r}")
    if choices.suites or choices.cases:
        parts.append("only " + ", ".join(config.args))
    if config.getoption("lf", default=False):
        parts.append("--lf")
    if choices.variants:
        parts.append("--variant " + ", ".join(choices.variants))
    return "; ".join(parts)
