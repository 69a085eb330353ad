"""Allure's view of a case: its suite, feature, severity, guest and hypervisor."""

from __future__ import annotations

from functools import cache

import allure
import pytest

from harness.plugin.collection import case_of, feature_of, target_of
from harness.profiles.catalogue import Feature, load_catalogue


@cache
def _features() -> dict[str, Feature]:
    return {feature.id: feature for feature in load_catalogue()}


def label(item: pytest.Item) -> None:
    """Label the case that begins now; Allure's own hooks have opened its result by then."""
    target = target_of(item)
    feature = _features().get(feature_of(item))
    if target is None or feature is None:
        return
    suite, _, _ = feature.id.partition(".")
    allure.dynamic.parent_suite(target.profile.id)
    allure.dynamic.suite(suite)
    allure.dynamic.sub_suite(feature.id)
    allure.dynamic.epic(suite)
    allure.dynamic.feature(feature.id)
    allure.dynamic.story(case_of(item.nodeid).rpartition("::")[2])
    allure.dynamic.severity(feature.severity)
    allure.dynamic.label("guest", target.profile.id)
    allure.dynamic.label("variant", str(target.variant))
    allure.dynamic.tag(target.profile.id, str(target.variant))
