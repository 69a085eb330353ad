"""Cases ask the guest's operating system, and contain no shell of their own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SUITES = Path(__file__).resolve().parents[2] / "suites"

SHELL = {"sh", "succeeds", "read"}
"""What Linux's implementation runs scripts and programs with, and reads files."""


def functions(text: str) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef))


def attributes(function: ast.FunctionDef) -> Iterator[ast.Attribute]:
    return (node for node in ast.walk(function) if isinstance(node, ast.Attribute))


def marks(function: ast.FunctionDef) -> set[str]:
    calls = [node for node in function.decorator_list if isinstance(node, ast.Call)]
    return {node.func.id for node in calls if isinstance(node.func, ast.Name)}


def faults(text: str) -> list[str]:
    """What is wrong with the cases of a file."""
    found = []
    for function in functions(text):
        for node in attributes(function):
            of = node.value.attr if isinstance(node.value, ast.Attribute) else ""
            if of in ("os", "linux") and node.attr in SHELL:
                found.append(f"{function.name} has a shell of its own: {ast.unparse(node)}")
            if node.attr == "linux" and "only_on" not in marks(function):
                found.append(f"{function.name} needs Linux and does not say so")
    return found


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("guest.os.sh('id')", "a shell of its own"),
        ("machine.linux.read('/etc/passwd')", "a shell of its own"),
        ("guest.linux.interrupts('NMI')", "needs Linux"),
    ],
)
def test_a_fault_would_be_seen(body: str, fault: str) -> None:
    # The control: what finds nothing in anything proves nothing.
    assert any(fault in found for found in faults(f"def test_x(guest):\n    {body}\n"))
    assert faults("@only_on(LINUX)\ndef test_x(guest):\n    guest.linux.interrupts('NMI')\n") == []


@pytest.mark.parametrize("file", sorted(SUITES.rglob("test_*.py")), ids=lambda file: file.stem)
def test_a_case_asks_and_says_what_it_is_about(file: Path) -> None:
    assert faults(file.read_text(encoding="utf-8")) == []
