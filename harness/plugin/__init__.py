"""The pytest plugin: options, marks, hooks, and the record of a run.

Its fixtures are those of suites/conftest.py, so that no other test gets one by its name.
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import HarnessError, UsageError
from harness.lab.bench import Bench
from harness.lab.context import RunContext
from harness.lab.run_plan import RunPlan, plan_run
from harness.plugin import collection, options
from harness.plugin.case_index import write_index
from harness.plugin.controller import Controller
from harness.plugin.empty_selection import Collected, nothing_selected
from harness.plugin.fixtures import BENCH
from harness.plugin.markers import DESCRIPTIONS
from harness.plugin.session_start import start_run
from harness.plugin.worker import Worker
from harness.profiles.loader import usable_profiles
from harness.profiles.selection import select
from harness.results.store import RunDirectory

PLAN = pytest.StashKey[RunPlan]()
COLLECTED = pytest.StashKey[Collected]()


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
        if worker is None:
            options.require_paths(config)
        choices = options.choices_of(config)
        config.option.hypervisor = choices.hypervisor  # the environment may have named it
        usable = usable_profiles()
        profiles = select(usable.profiles, choices.guests, broken=usable.broken)
        plan = config.stash[PLAN] = plan_run(choices, profiles)
        if config.getoption("collectonly", default=False):
            return
        context = RunContext.from_json(worker["guestcert"]) if worker else _lead_run(config, plan)
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


def _lead_run(config: pytest.Config, plan: RunPlan) -> RunContext:
    """Start the run, or resume it, in the controlling process."""
    recorder = start_run(config, plan)
    if config.getoption("dist", default="no") == "load":
        config.option.dist = "loadgroup"  # keeps the cases that share a guest together
        # xdist would hand out groups by their number of cases: they are in order of their cost.
        config.option.loadscopereorder = False
    config.pluginmanager.register(Controller(recorder), "guestcert-controller")
    return recorder.context


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Show the guests, the accelerator and the run's folder."""
    if BENCH not in config.stash:
        return []
    context = config.stash[BENCH].context
    guests = [f"{p.id} ({', '.join(v)})" for p, v in config.stash[PLAN].guests]
    return [
        f"guestcert: {'; '.join(guests)}",
        f"guestcert: accelerator {context.accelerator}: {context.accelerator_reason}",
        f"guestcert: run {context.reports}",
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each case that asks for a guest on each guest that was chosen."""
    if PLAN in metafunc.config.stash:
        collection.parametrize(metafunc, metafunc.config.stash[PLAN])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the cases, without those of a higher tier and those that have an outcome already."""
    if PLAN in config.stash:
        _require_unique_ids(items)
        higher_tier = collection.remove_higher_tiers(items, config.stash[PLAN].choices.tier)
        config.stash[COLLECTED] = Collected.of(items, higher_tier)
        done = config.stash[BENCH].context.done if BENCH in config.stash else ()
        higher_tier += collection.remove_finished(items, done)
        if higher_tier:
            config.hook.pytest_deselected(items=higher_tier)
        collection.arrange(items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Index the cases, in a worker; refuse a selection without cases, in the controller."""
    config = session.config
    if BENCH in config.stash and hasattr(config, "workerinput"):
        write_index(config.stash[BENCH].context, session.items)
    if session.items or COLLECTED not in config.stash or hasattr(config, "workerinput"):
        return
    if BENCH in config.stash and config.stash[BENCH].context.done:
        return  # a resumed run has its outcomes already
    choices = config.stash[PLAN].choices
    raise pytest.UsageError(str(nothing_selected(choices, config.stash[COLLECTED])))


def _require_unique_ids(items: list[pytest.Item]) -> None:
    try:
        collection.require_unique_ids(items)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
