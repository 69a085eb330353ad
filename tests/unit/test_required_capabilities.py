"""A case declares each capability of the hypervisor that it uses: without it, it cannot run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SUITES = Path(__file__).resolve().parents[2] / "suites"

OF_THE_GUEST = {
    "restore": "SAVED_STATES",
    "revert": "SNAPSHOTS",
    "agent": "AGENT",
    "exec": "AGENT",
}
"""By the attribute, of whatever it is one. The console is needed by every guest: see fixtures."""

REDEFINED = {
    "tpm": "TPM",
    "watchdog": "WATCHDOG",
    "generation_id": "GENERATION_ID",
    "cpu_model": "CPU_MODELS",
}
"""By the field that a case redefines its machine with."""


def needed(function: ast.FunctionDef, helpers: dict[str, ast.FunctionDef]) -> set[str]:
    """What a case calls for, in its own body and in the helpers of its file."""
    found: set[str] = set()
    todo, seen = [function], {function.name}
    while todo:
        for node in (node for line in todo.pop().body for node in ast.walk(line)):
            found |= set(_capabilities(node))
            name = node.id if isinstance(node, ast.Name) else ""
            if name in helpers and name not in seen:
                seen.add(name)
                todo.append(helpers[name])
    return found


def _capabilities(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and node.attr in OF_THE_GUEST:
        yield OF_THE_GUEST[node.attr]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".facet"):
        yield from map(ast.unparse, node.args)
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".redefine"):
        yield from (REDEFINED[word.arg] for word in node.keywords if word.arg in REDEFINED)


def declared(function: ast.FunctionDef, constants: dict[str, ast.expr]) -> set[str]:
    """What its marks, the file's own and those of its parameters require."""
    marks: list[ast.AST] = [*function.decorator_list]
    if "pytestmark" in constants:
        marks.append(constants["pytestmark"])
    for mark in tuple(marks):
        names = {node.id for node in ast.walk(mark) if isinstance(node, ast.Name)}
        marks += [constants[name] for name in names & set(constants)]
    calls = [node for mark in marks for node in ast.walk(mark) if isinstance(node, ast.Call)]
    required = [call for call in calls if ast.unparse(call.func) == "requires"]
    return {ast.unparse(argument) for call in required for argument in call.args}


def faults(text: str) -> dict[str, set[str]]:
    """The capabilities that each case of a file uses and does not declare."""
    body = ast.parse(text).body
    functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
    assigned = [node for node in body if isinstance(node, ast.Assign)]
    constants = {ast.unparse(node.targets[0]): node.value for node in assigned}
    cases = [function for name, function in functions.items() if name.startswith("test_")]
    found = {c.name: needed(c, functions) - declared(c, constants) for c in cases}
    return {name: lacking for name, lacking in found.items() if lacking}


@pytest.mark.parametrize(
    ("body", "capability"),
    [
        ("guest.machine.facet(NMI).inject()", "NMI"),
        ("prove(guest, guest.machine.facet(POWER_BUTTON).reboot)", "POWER_BUTTON"),
        ("helper(guest)", "DISPLAY"),
        ("guest.agent.answers(timeout=1)", "AGENT"),
        ("machine.redefine(tpm=True)", "TPM"),
    ],
)
def test_a_capability_that_is_not_declared_would_be_seen(body: str, capability: str) -> None:
    # The control: what finds nothing in anything proves nothing.
    helper = "def helper(g):\n    g.machine.facet(DISPLAY).screenshot()\n"
    case = f"def test_x(guest):\n    {body}\n\n{helper}"
    assert faults(case) == {"test_x": {capability}}
    assert faults(f"@requires({capability})\n{case}") == {}
    assert faults(f"pytestmark = requires({capability})\n\n{case}") == {}


@pytest.mark.parametrize("file", sorted(SUITES.rglob("test_*.py")), ids=lambda file: file.stem)
def test_a_case_declares_what_it_uses(file: Path) -> None:
    assert faults(file.read_text(encoding="utf-8")) == {}
