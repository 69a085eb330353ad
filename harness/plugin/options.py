"""pytest's command line as guestcert extends it, and the run that it asks for."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.hypervisors.accelerator import choose_accelerator
from harness.hypervisors.definitions import Accelerator
from harness.image_store.choosing import recipe_for
from harness.image_store.imported import examine
from harness.image_store.places import store_root
from harness.lab.context import RunContext
from harness.lab.ownership import own
from harness.profiles.claims import HypervisorKind
from harness.profiles.loading import load_profiles
from harness.profiles.model import Profile
from harness.profiles.places import project_root
from harness.profiles.selection import DEFAULT_GUEST, select
from harness.profiles.variants import NAMES, Variant, unmade, variants_on
from harness.results.store import RunDirectory, new_run_id
from harness.tiers import Tier


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
    group.addoption("--variant", action="append", choices=[str(name) for name in NAMES])
    group.addoption("--image", type=Path, metavar="FILE", help="your own build of the guest's OS")
    group.addoption("--recipe", metavar="RECIPE", help="another recipe than the guest's own")
    group.addoption(
        "--tier",
        choices=[str(t) for t in Tier],
        default=str(Tier.STANDARD),
        help="how often cases repeat what must hold again and again (default: standard)",
    )
    group.addoption("--hypervisor", metavar="URI", help="default: qemu:///system, else session")
    group.addoption("--accelerator", choices=[str(a) for a in Accelerator])
    group.addoption("--run-id", help="name of the run's folder under reports/")
    group.addoption("--resume", action="store_true", help="go on with the run that --run-id names")
    group.addoption(
        "--reports", type=Path, default=project_root() / "reports", help="where runs are written"
    )


def is_certification(config: pytest.Config) -> bool:
    """Whether pytest was asked for cases under suites/ (and not for the project's own tests)."""
    suites = project_root() / "suites"
    base = config.invocation_params.dir
    for argument in config.args:
        path = (base / argument.split("::")[0]).resolve()
        if path == suites or suites in path.parents:
            return True
    return False


def selected_profiles(config: pytest.Config) -> list[Profile]:
    """The profiles that --guest names.

    Raises UsageError with what is near, where no machine is made for a guest, and where one has no
    recipe and --image is not given.
    """
    wanted = config.getoption("--guest") or [DEFAULT_GUEST]
    profiles = select(load_profiles(), wanted)
    kind = HypervisorKind.of(config.getoption("--hypervisor") or "")
    for profile in profiles:
        if refusal := unmade(profile, kind):
            raise refusal
    if config.getoption("--image") is None:
        for profile in profiles:
            # Raises where there is no way to an image.
            recipe_for(profile, store_root(), config.getoption("--recipe"))
    return profiles


def selected_variants(config: pytest.Config, profile: Profile) -> tuple[Variant, ...]:
    """The profile's variants there, the primary first, less those that --variant leaves out.

    Raises UsageError where nothing is left.
    """
    wanted = config.getoption("--variant")
    known = variants_on(profile, HypervisorKind.of(config.getoption("--hypervisor") or ""))
    chosen = tuple(v for v in known if not wanted or str(v) in wanted)
    if not chosen:
        raise UsageError(
            f"{profile.id} has no variant {' or '.join(wanted)}, only {', '.join(known)}",
            remedy=f"--variant {known[0]}",
        )
    return chosen


def make_context(config: pytest.Config) -> RunContext:
    """Decide what the run is about. Raises UsageError or HarnessError."""
    image: Path | None = config.getoption("--image")
    if image is not None:
        examine(image)
    wanted = config.getoption("--accelerator")
    store = store_root()
    uri = config.getoption("--hypervisor")
    choice = choose_accelerator(Accelerator(wanted) if wanted else None, store, uri)
    run = config.getoption("--run-id") or new_run_id()
    return RunContext(
        owner=own(run),
        reports=RunDirectory(config.getoption("--reports") / run).path,
        store=store,
        hypervisor=uri,
        accelerator=choice.accelerator,
        accelerator_reason=choice.reason,
        image=image.resolve() if image else None,
        recipe=config.getoption("--recipe"),
        tier=Tier(config.getoption("--tier")),
        password=secrets.token_urlsafe(12),
    )


def selection_in_words(config: pytest.Config) -> str:
    """What restricts the run to a part of the suites; empty where nothing does."""
    words = []
    for option, name in (("keyword", "-k"), ("markexpr", "-m")):
        value = config.getoption(option, default="")
        if value:
            words.append(f"{name} {value!r}")
    whole = (project_root() / "suites").resolve()
    base = config.invocation_params.dir
    if not any((base / argument).resolve() == whole for argument in config.args):
        words.append("only " + ", ".join(config.args))
    if config.getoption("lf", default=False):
        words.append("--lf")
    if config.getoption("--variant"):
        words.append("--variant " + ", ".join(config.getoption("--variant")))
    return "; ".join(words)
