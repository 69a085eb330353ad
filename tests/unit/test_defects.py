"""No case without a planted defect, no defect without its case, and when one counts as caught."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.defects import planting
from tests.defects.acts import Defect
from tests.defects.catalogue import DEFECTS

ROOT = Path(__file__).resolve().parents[2]


def cases() -> list[str]:
    return [
        f"{file.relative_to(ROOT)}::{node.name}"
        for file in (ROOT / "suites").rglob("test_*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def test_every_case_has_a_defect_of_its_own_that_it_must_catch() -> None:
    assert sorted(cases()) == sorted(DEFECTS)
    names = [case.rpartition("::")[2] for case in cases()]
    assert len(set(names)) < len(names), "the control: two files name a case alike"


@pytest.mark.parametrize(
    ("outcome", "reason", "how"),
    [
        ("failed", "its release is '13', the profile's is '12'", ""),
        ("failed", "waited 12 s for the guest", "failed without a sign of its defect"),
        ("broken", "its release is '13': ChannelError", "ended broken"),
        ("blocked", "boot.ready: its release is '13'", "ended blocked"),
        ("passed", "", "ended passed: no reason"),
        ("not_applicable", "the hypervisor lacks tpm", ""),
    ],
)
def test_a_defect_is_caught_where_its_case_fails_for_it(
    outcome: str, reason: str, how: str
) -> None:
    found = planting.escape(outcome, reason, Defect(lambda _: None, "release is '13'"))
    assert found.startswith(how)
    assert bool(found) is bool(how)


def test_a_run_whose_defects_were_not_all_caught_ends_with_3(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(planting, "escaped", [])
    case = "suites/boot/test_identity.py::test_is_the_system_of_its_profile"
    ends = []
    for outcome in ("failed", "passed"):
        document = {"case": case, "outcome": outcome, "reason": "its release is '13'"}
        planting.pytest_runtest_logreport(SimpleNamespace(guestcert=document))  # type: ignore[arg-type]
        session = SimpleNamespace(exitstatus=1)
        for _ in planting.pytest_sessionfinish(session):  # type: ignore[arg-type]
            pass
        ends.append(session.exitstatus)
    assert ends == [1, 3]
    assert planting.escaped == [f"{case} ended passed: its release is '13'"]
