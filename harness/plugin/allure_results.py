"""Allure's results: names, parameters and labels that are stable from run to run."""

from __future__ import annotations

from functools import cache
from typing import Any

import allure
import allure_commons
import pytest
from allure_commons.model2 import Status, TestResult, TestResultContainer

from harness.features.catalogue import Feature, load_catalogue
from harness.plugin.collection import case_of, feature_of, parameters_of, target_of
from harness.results.outcomes import Outcome
from harness.text import sanitize

FAULTY = (Status.FAILED, Status.BROKEN, Status.SKIPPED)


@cache
def _features() -> dict[str, Feature]:
    return {feature.id: feature for feature in load_catalogue()}


def label(item: pytest.Item) -> None:
    """Label the case that starts now; Allure's hooks have opened its result already.

    Allure keys a case's history by its parameters. A target's value is its whole profile, which
    changes often, so guest and variant replace it.
    """
    target = target_of(item)
    if target is None:
        return
    guest, variant = target.profile.id, str(target.variant)
    hidden = allure.parameter_mode.HIDDEN
    allure.dynamic.parameter("target", str(target), excluded=True, mode=hidden)
    allure.dynamic.parameter("guest", guest)
    allure.dynamic.parameter("variant", variant)
    feature = _features().get(feature_of(item))
    if feature is None:
        return
    suite, _, _ = feature.id.partition(".")
    allure.dynamic.parent_suite(guest)
    allure.dynamic.suite(suite)
    allure.dynamic.sub_suite(feature.id)
    allure.dynamic.epic(suite)
    allure.dynamic.feature(feature.id)
    allure.dynamic.story(case_of(item.nodeid).rpartition("::")[2])
    allure.dynamic.severity(feature.severity)
    allure.dynamic.label("guest", guest)
    allure.dynamic.label("variant", variant)
    allure.dynamic.tag(guest, variant)


def name(item: pytest.Item, title: str) -> None:
    """Name the case by its title; after set-up, when Allure has named it by its id."""
    own = parameters_of(item.nodeid, str(target_of(item) or ""))
    if title:
        allure.dynamic.title(f"{title} [{own}]" if own else title)


def note_outcome(outcome: Outcome) -> None:
    """Label the case that ends now with its outcome."""
    allure.dynamic.label("outcome", str(outcome))


class AllureResults:
    """Allure's hooks that change each result before it is written."""

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: TestResult) -> None:
        """Put a case below its guest, sanitize its text, and report a blocked case as broken."""
        labels = {one.name: one.value for one in result.labels}
        if "guest" in labels:
            result.titlePath = [labels["guest"], labels["variant"], labels["epic"]]
        _sanitize_details(result)
        if labels.get("outcome") == Outcome.KNOWN_ISSUE and result.statusDetails is not None:
            result.statusDetails.known = True
        if labels.get("outcome") == Outcome.BLOCKED:
            result.status = Status.BROKEN

    @allure_commons.hookimpl(tryfirst=True)
    def report_container(self, container: TestResultContainer) -> None:
        """Leave out the fixtures that succeeded: they are the harness's."""
        container.befores = _worth_showing(container.befores)
        container.afters = _worth_showing(container.afters)


def _worth_showing(steps: list[Any]) -> list[Any]:
    shown = [step for step in steps if step.status in FAULTY or step.attachments]
    for step in shown:
        _sanitize_details(step)
    return shown


def _sanitize_details(item: Any) -> None:
    if item.statusDetails is not None:
        item.statusDetails.message = sanitize(item.statusDetails.message or "", None)
        item.statusDetails.trace = sanitize(item.statusDetails.trace or "", None)
