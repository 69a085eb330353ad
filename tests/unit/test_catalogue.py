"""The feature catalogue: every row has a case or is planned, and builds on one that exists."""

from __future__ import annotations

import ast

import pytest
from pydantic import ValidationError

from harness.features.catalogue import READY, Catalogue, foundations, load_catalogue
from harness.integration.prerequisites import CHECKS
from harness.profiles.places import project_root
from tests.unit.builders import a_feature

SUITES = project_root() / "suites"


def features_with_cases() -> dict[str, set[str]]:
    """The files of each feature that a case under suites/ carries."""
    found: dict[str, set[str]] = {}
    for file in sorted(SUITES.rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                (feature,) = [f for d in node.decorator_list if (f := feature_named(d))]
                found.setdefault(feature, set()).add(file.name)
    return found


def feature_named(decorator: ast.expr) -> str | None:
    """What `@feature("boot.ready")` names; None of another decorator."""
    if not isinstance(decorator, ast.Call) or ast.unparse(decorator.func) != "feature":
        return None
    return str(ast.literal_eval(decorator.args[0]))


def test_a_feature_has_a_case_or_is_planned() -> None:
    planned = {feature.id for feature in load_catalogue() if feature.planned}
    every = {feature.id for feature in load_catalogue()}
    assert planned | set(features_with_cases()) == every
    assert not planned & set(features_with_cases()), "these have cases, and are not planned"


def test_microsoft_s_rows_are_all_there() -> None:
    """Its tables have 35 features, and some a row for more than 256 virtual CPUs."""
    rows = {feature.microsoft for feature in load_catalogue() if feature.microsoft}
    assert len(rows) == 36


def test_a_feature_knows_its_suite() -> None:
    assert a_feature("isolation.network.segment").suite == "isolation"


def test_a_catalogue_names_each_feature_once() -> None:
    with pytest.raises(ValidationError, match=r"features name boot\.ready more than once"):
        Catalogue(features=(a_feature("boot.ready"), a_feature("boot.ready")))


def test_a_feature_builds_on_one_that_exists() -> None:
    with pytest.raises(ValidationError, match=r"boot\.pause builds on boot\.nil: not a feature"):
        Catalogue(features=(a_feature("boot.pause", builds_on="boot.nil"),))


def test_no_feature_builds_on_itself() -> None:
    circle = (a_feature("boot.a", builds_on="boot.b"), a_feature("boot.b", builds_on="boot.a"))
    with pytest.raises(ValidationError, match=r"boot\.a builds on itself"):
        Catalogue(features=circle)


def test_what_a_feature_with_cases_builds_on_is_looked_for() -> None:
    needed = {
        foundation
        for feature in load_catalogue()
        if not feature.planned
        for foundation in foundations(feature.id)
    }
    assert needed == set(CHECKS), "builds_on of the catalogue does nothing without a check"
    assert READY in features_with_cases()


def test_a_feature_builds_on_all_that_its_foundation_builds_on() -> None:
    assert foundations("integration.backup.multi") == (
        "integration.backup",
        "integration.heartbeat",
    )
    assert foundations("boot.ready") == ()
