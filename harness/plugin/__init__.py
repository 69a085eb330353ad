"""The pytest plugin: options, marks, fixtures, and the record of what a run found."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import HarnessError, UsageError
from harness.lab.bench import Bench
from harness.lab.context import RunContext
from harness.plugin import collection, options
from harness.plugin.controller import Controller
from harness.plugin.fixtures import (
    BENCH,
    bench,
    clones,
    guest,
    hypervisor,
    integration,
    machine,
    neighbours,
    target,
    tier,
    unstarted,
)
from harness.plugin.markers import DESCRIPTIONS
from harness.plugin.session_start import start_run
from harness.plugin.worker import Worker, metric
from harness.profiles.model import Profile
from harness.profiles.variants import Variant
from harness.results.store import RunDirectory
from harness.tiers import Tier

__all__ = [
    "bench",
    "clones",
    "guest",
    "hypervisor",
    "integration",
    "machine",
    "metric",
    "neighbours",
    "target",
    "tier",
    "unstarted",
]

Chosen = list[tuple[Profile, tuple[Variant, ...]]]
CHOSEN = pytest.StashKey[Chosen]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare guestcert's options."""
    options.add_options(parser)


@pytest.hookimpl(tryfirst=True)  # before Allure's, which looks for its folder then
def pytest_configure(config: pytest.Config) -> None:
    """Set up a certification where suites are to run; the project's own tests need nothing."""
    for description in DESCRIPTIONS:
        config.addinivalue_line("markers", description)
    if not options.is_certification(config) and not hasattr(config, "workerinput"):
        return
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker is not None and "guestcert" not in worker:
        return
    try:
        config.stash[CHOSEN] = [
            (profile, options.selected_variants(config, profile))
            for profile in options.selected_profiles(config)
        ]
        if config.getoption("collectonly", default=False):
            return
        context = RunContext.from_json(worker["guestcert"]) if worker else _lead_run(config)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
    except HarnessError as error:
        pytest.exit(str(error), returncode=error.exit_code)
    if not config.getoption("allure_report_dir", default=None):
        # In every process: workers are given the command line, not the controller's options.
        config.option.allure_report_dir = str(RunDirectory(context.reports).allure_results)
    own_bench = Bench(context, worker["workerid"] if worker else "main")
    config.stash[BENCH] = own_bench
    config.pluginmanager.register(Worker(own_bench), "guestcert-worker")


def _lead_run(config: pytest.Config) -> RunContext:
    """Begin the run, or go on with it, in the controlling process."""
    recorder = start_run(config, config.stash[CHOSEN])
    if config.getoption("dist", default="no") == "load":
        config.option.dist = "loadgroup"  # cases that share a guest stay together
        # xdist would hand out groups by their number of cases: they are in order of their cost.
        config.option.loadscopereorder = False
    config.pluginmanager.register(Controller(recorder), "guestcert-controller")
    return recorder.context


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what is certified, on what, and where the report will be."""
    if BENCH not in config.stash:
        return []
    context = config.stash[BENCH].context
    guests = [f"{p.id} ({', '.join(v)})" for p, v in config.stash[CHOSEN]]
    return [
        f"guestcert: {'; '.join(guests)}",
        f"guestcert: accelerator {context.accelerator}: {context.accelerator_reason}",
        f"guestcert: run {context.reports}",
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each case that asks for a guest on each guest that was chosen."""
    if CHOSEN in metafunc.config.stash:
        collection.parametrize(metafunc, metafunc.config.stash[CHOSEN])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the cases in order, without those of a higher tier and those that are done already."""
    if CHOSEN in config.stash:
        beyond = collection.take_beyond(items, Tier(config.getoption("--tier")))
        done = config.stash[BENCH].context.done if BENCH in config.stash else ()
        beyond += collection.take_done(items, done)
        if beyond:
            config.hook.pytest_deselected(items=beyond)
        collection.arrange(items)
